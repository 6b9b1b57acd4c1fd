//! Writes that reach the database together.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement, StatementBuilder, Values};

use super::Tx;
use crate::error::Result;

/// Writes of one change, done in their order. Only what a change reads has to be waited for; what it writes goes in one message, because a
/// message to SQLite's thread and back costs more than the row.
#[derive(Debug)]
pub struct Writes {
    backend: DbBackend,
    statements: Vec<Statement>,
}

impl Writes {
    /// None yet.
    pub fn of(tx: &Tx) -> Self {
        Self {
            backend: tx.get_database_backend(),
            statements: Vec::new(),
        }
    }

    /// One more, behind the others.
    pub fn add<S: StatementBuilder>(&mut self, statement: &S) {
        self.statements.push(self.backend.build(statement));
    }

    /// Whether other changes run beside this one.
    pub(crate) fn concurrent(&self) -> bool {
        self.backend != DbBackend::Sqlite
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.statements.len()
    }

    /// Does them all; answers how many rows they touched.
    pub async fn send(self, tx: &Tx) -> Result<u64> {
        let statements = match self.backend {
            DbBackend::Sqlite => vec![joined(self.statements)],
            // A prepared statement is one statement there.
            _ => self.statements,
        };
        let mut rows = 0;
        for statement in statements {
            rows += tx.execute_raw(statement).await?.rows_affected();
        }
        Ok(rows)
    }
}

/// The driver prepares each part once and binds the values from left to right.
fn joined(statements: Vec<Statement>) -> Statement {
    let (mut sql, mut values) = (String::new(), Vec::new());
    for statement in statements {
        sql.push_str(&statement.sql);
        sql.push(';');
        values.extend(statement.values.into_iter().flat_map(|values| values.0));
    }
    Statement {
        sql,
        values: Some(Values(values)),
        db_backend: DbBackend::Sqlite,
    }
}
