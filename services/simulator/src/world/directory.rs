//! The tenant: its users and the one application, all derived from the seed.

use ring::{
    digest::{SHA256, digest},
    signature::Ed25519KeyPair,
};

/// The tenant's directory.
#[derive(Debug)]
pub struct Directory {
    /// Seed of everything.
    pub seed: u64,
    /// Directory id.
    pub tenant: String,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    users: Vec<User>,
}

/// A user with a mailbox.
#[derive(Clone, Debug)]
pub struct User {
    /// Object id.
    pub id: String,
    /// Sign-in name.
    pub principal_name: String,
    /// Shown name.
    pub display_name: String,
    /// Whether the application access policy covers the user (`New-CsApplicationAccessPolicy`).
    pub covered: bool,
}

/// 64 hexadecimal digits that depend on seed and name alone.
pub fn derived_hex(seed: u64, name: &str) -> String {
    let text = format!("{seed}/{name}");
    digest(&SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A UUID that depends on seed and name alone.
pub fn derived_uuid(seed: u64, name: &str) -> String {
    let mut bytes = [0; 16];
    let text = format!("{seed}/{name}");
    for (to, from) in bytes
        .iter_mut()
        .zip(digest(&SHA256, text.as_bytes()).as_ref())
    {
        *to = *from;
    }
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

impl Directory {
    /// The directory of a seed.
    pub fn new(seed: u64) -> Self {
        let user = |name: &str, display: &str, covered| User {
            id: derived_uuid(seed, name),
            principal_name: format!("{name}@sim.example"),
            display_name: display.to_owned(),
            covered,
        };
        Self {
            seed,
            tenant: derived_uuid(seed, "tenant"),
            client_id: derived_uuid(seed, "client"),
            client_secret: format!("sim~{}", &derived_hex(seed, "secret")[..36]),
            users: vec![
                user("host", "First Host", true),
                user("host2", "Second Host", true),
                user("uncovered", "Uncovered Host", false),
            ],
        }
    }

    /// The user that examples use.
    pub fn host(&self) -> &User {
        &self.users[0]
    }

    /// The user whom the access policy leaves out.
    pub fn denied(&self) -> &User {
        &self.users[2]
    }

    /// All users.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// By object id or principal name, without case.
    pub fn user(&self, key: &str) -> Option<&User> {
        self.users.iter().find(|user| {
            user.id.eq_ignore_ascii_case(key) || user.principal_name.eq_ignore_ascii_case(key)
        })
    }

    /// The key that signs access tokens.
    pub fn signing_key(&self) -> Option<Ed25519KeyPair> {
        let text = format!("{}/signing", self.seed);
        Ed25519KeyPair::from_seed_unchecked(digest(&SHA256, text.as_bytes()).as_ref()).ok()
    }
}
