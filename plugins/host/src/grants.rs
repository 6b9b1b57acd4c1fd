//! What an admin allows a plugin.

use serde::{Deserialize, Serialize};

/// What an admin allows a plugin. The default is nothing beyond logging and explaining.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Grants {
    /// Bytes of keys and values that it may keep; 0 withholds the capability.
    pub kv_bytes: u64,
    /// Origins that it may call, such as `https://crm.example.test` or `https://crm.example.test:8443`; none withholds the capability.
    pub http: Vec<String>,
    /// Whether it may look facts of its case up.
    pub facts: bool,
    /// Personal fields that it is told, such as `display-name`.
    pub fields: Vec<String>,
}

impl Grants {
    /// Everything, for the question what a module asks for.
    pub fn all() -> Self {
        Self {
            kv_bytes: u64::MAX,
            http: vec!["https://anywhere.invalid".into()],
            facts: true,
            fields: Vec::new(),
        }
    }

    /// Whether a personal field is told.
    pub fn tells(&self, field: &str) -> bool {
        self.fields.iter().any(|granted| granted == field)
    }
}
