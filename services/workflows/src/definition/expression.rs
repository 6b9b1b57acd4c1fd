//! Expressions (CEL) and templates: compiled once, evaluated within bounds.

use std::sync::Arc;

use cel::{Context, ExecutionError, Program, Value};
use convene_domain::Timestamp;

/// Length of an expression, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 1_000;
/// Length of a template, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 16 * 1024;
/// How deep brackets nest.
const DEPTH_MAX: usize = 32;
/// Walks over lists in one expression: within each other they multiply.
const WALKS_MAX: usize = 2;
/// What walks over a list.
const WALKS: [&str; 5] = [".all(", ".exists(", ".exists_one(", ".filter(", ".map("];

/// What an expression reads: variables by name.
pub type Scope = Vec<(&'static str, Value)>;

/// A compiled expression.
#[derive(Clone)]
pub struct Expr {
    text: String,
    program: Arc<Program>,
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expr({})", self.text)
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Expr {
    /// Compiles; the error is for the author.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(format!(
                "an expression has at most {EXPRESSION_BYTES_MAX} bytes"
            ));
        }
        let walks: usize = WALKS.iter().map(|walk| text.matches(walk).count()).sum();
        if walks > WALKS_MAX {
            return Err(format!(
                "an expression walks over lists at most {WALKS_MAX} times (all, exists, exists_one, filter, map)"
            ));
        }
        if depth(text) > DEPTH_MAX {
            return Err(format!("brackets nest at most {DEPTH_MAX} deep"));
        }
        let program = Program::compile(text).map_err(|errors| {
            let first = errors.to_string();
            let first = first.lines().next().unwrap_or_default();
            format!("not a CEL expression: {first}")
        })?;
        Ok(Self {
            text: text.to_owned(),
            program: Arc::new(program),
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates.
    pub fn value(&self, scope: &Scope) -> Result<Value, String> {
        let mut context = Context::default();
        for (name, value) in scope {
            context.add_variable_from_value(*name, value.clone());
        }
        let value = self.program.execute(&context);
        value.map_err(|error| said(&error))
    }

    /// Evaluates a condition.
    pub fn holds(&self, scope: &Scope) -> Result<bool, String> {
        match self.value(scope)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(format!(
                "a condition is true or false, this is a {}",
                other.type_of()
            )),
        }
    }

    /// Evaluates a moment.
    pub fn moment(&self, scope: &Scope) -> Result<Timestamp, String> {
        match self.value(scope)? {
            Value::Timestamp(at) => Ok(Timestamp::from_millis(at.timestamp_millis())),
            other => Err(format!(
                "a time is a timestamp such as booking.start, this is a {}",
                other.type_of()
            )),
        }
    }
}

/// What went wrong, without the values: they may be personal.
fn said(error: &ExecutionError) -> String {
    match error {
        ExecutionError::UnsupportedBinaryOperator(name, left, right) => format!(
            "the types do not fit: {name} of a {} and a {}",
            left.type_of(),
            right.type_of()
        ),
        ExecutionError::ValuesNotComparable(left, right) => format!(
            "the types do not fit: a {} cannot be compared with a {}",
            left.type_of(),
            right.type_of()
        ),
        ExecutionError::NoSuchKey(key) => format!(
            "there is no field `{key}`; what comes with a signal or a start by hand is known by its `example`"
        ),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{name}` here"),
        ExecutionError::NoSuchOverload(error) => format!("the types do not fit: {error}"),
        _ => "it cannot be evaluated".to_owned(),
    }
}

/// Text with expressions in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Expr(Expr),
}

impl Template {
    /// Compiles; `$${` is a plain `${`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("a template has at most {TEMPLATE_BYTES_MAX} bytes"));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('$') {
                parts.push(Part::Text(format!("{before}${{")));
                rest = &from[2..];
                continue;
            }
            parts.push(Part::Text(before.to_owned()));
            let end =
                closing(&from[2..]).ok_or_else(|| "a `${` in a template has no `}`".to_owned())?;
            parts.push(Part::Expr(Expr::parse(&from[2..2 + end])?));
            rest = &from[2 + end + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Self(parts))
    }

    /// Fills in.
    pub fn fill(&self, scope: &Scope) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Expr(expr) => text.push_str(&shown(&expr.value(scope)?)?),
            }
        }
        Ok(text)
    }
}

/// The end of an expression in a template: a `}` that closes no bracket or text of its own.
fn closing(text: &str) -> Option<usize> {
    let (mut open, mut quote) = (0_usize, None);
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(mark), _) if letter == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '{') => open += 1,
            (None, '}') if open == 0 => return Some(at),
            (None, '}') => open -= 1,
            (None, _) => {}
        }
    }
    None
}

/// How deep brackets nest, those in texts too: an upper bound.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                now += 1;
                most = most.max(now);
            }
            b')' | b']' | b'}' => now = now.saturating_sub(1),
            // Each is a level of its own.
            b'!' | b'-' | b'?' => most += 1,
            _ => {}
        }
    }
    most
}

/// A value in running text.
fn shown(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::String(text) => text.as_ref().clone(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Timestamp(at) => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        Value::Null => String::new(),
        other => {
            return Err(format!(
                "a {} cannot stand in a text; pick one of its fields",
                other.type_of()
            ));
        }
    })
}

/// JSON as expressions see it.
pub fn of_json(json: &serde_json::Value) -> Value {
    cel::to_value(json).unwrap_or(Value::Null)
}

/// A moment as expressions see it.
pub fn of_moment(at: Timestamp) -> Value {
    let at = chrono::DateTime::from_timestamp_millis(at.as_millis()).unwrap_or_default();
    Value::Timestamp(at.fixed_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let booking = serde_json::json!({ "id": "b", "guests": 2 });
        vec![
            ("booking", of_json(&booking)),
            ("now", of_moment(Timestamp::from_millis(0))),
        ]
    }

    #[test]
    fn expressions_are_typed_when_they_are_evaluated() {
        let holds = |text: &str| Expr::parse(text).unwrap().holds(&scope());
        assert_eq!(holds("booking.guests == 2"), Ok(true));
        assert!(holds("booking.id").unwrap_err().contains("true or false"));
        assert!(holds("booking.id > now").is_err());
        assert!(holds("nobody.id == 1").is_err());
        let later = Expr::parse("now + duration('24h')").unwrap();
        assert_eq!(
            later.moment(&scope()),
            Ok(Timestamp::from_millis(86_400_000))
        );
    }

    #[test]
    fn expressions_are_bounded() {
        let nested = "(".repeat(200) + "1" + &")".repeat(200);
        assert!(Expr::parse(&nested).unwrap_err().contains("nest"));
        assert!(Expr::parse(&"!".repeat(900)).unwrap_err().contains("nest"));
        let walks = "[1].map(a, [1].map(b, [1].map(c, c)))";
        assert!(Expr::parse(walks).unwrap_err().contains("walks"));
        assert!(Expr::parse(&"1+".repeat(600)).is_err());
        assert!(Expr::parse("1 +").unwrap_err().contains("CEL"));
    }

    #[test]
    fn templates_keep_text_and_braces() {
        let fill = |text: &str| Template::parse(text).unwrap().fill(&scope());
        assert_eq!(fill("a ${booking.id} c"), Ok("a b c".into()));
        assert_eq!(fill("$${x} ${'}'}"), Ok("${x} }".into()));
        assert_eq!(fill("${{'k': 'v'}.k}!"), Ok("v!".into()));
        assert!(fill("${booking}").is_err(), "a map is no text");
        assert!(Template::parse("${booking.id").is_err());
    }
}
