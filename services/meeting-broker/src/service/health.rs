//! How the provider is, for operators.

use convene_kit::{Context, Error, Result, convert, finding::Finding};

use super::Broker;

/// Organizers that may be named; the provider's adapter says how many it looks at.
const USERS_MAX: usize = 100;

impl Broker {
    /// Examines the provider and these of its users.
    pub async fn provider_health(
        &self,
        context: &Context,
        users: Vec<String>,
    ) -> Result<Vec<Finding>> {
        context.caller.ensure_admin()?;
        if users.len() > USERS_MAX {
            return Err(Error::invalid(
                "users",
                "TOO_MANY_USERS",
                format!("name at most {USERS_MAX} users"),
            ));
        }
        let users = users.iter().map(|user| convert::text("users", user));
        let mut users = users.collect::<Result<Vec<_>>>()?;
        let mut known = std::collections::BTreeSet::new();
        users.retain(|user| known.insert(user.clone()));
        let busy = |_| {
            Error::too_many(
                "EXAMINATION_RUNNING",
                "the provider is being examined for somebody else; ask again in a few seconds",
            )
        };
        let _turn = self.examining.try_acquire().map_err(busy)?;
        Ok(self.provider.examine(&users, &self.deps.clock).await)
    }
}
