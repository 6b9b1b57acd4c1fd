//! The tenant: its users and the one application, all derived from the seed.

use ring::{
    digest::{SHA256, digest},
    error::KeyRejected,
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
    pub client_secret: Secret,
    /// The key that signs access tokens.
    pub signing_key: Ed25519KeyPair,
    users: [User; 3],
}

/// A text that `Debug` does not show.
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
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

/// 32 bytes that depend on seed and name alone.
pub fn derived_bytes(seed: u64, name: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let text = format!("{seed}/{name}");
    let hash = digest(&SHA256, text.as_bytes());
    for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    bytes
}

/// 64 hexadecimal digits that depend on seed and name alone.
pub fn derived_hex(seed: u64, name: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
    let halves = derived_bytes(seed, name).into_iter();
    halves
        .flat_map(|byte| [digit(byte >> 4), digit(byte)])
        .collect()
}

/// A UUID that depends on seed and name alone.
pub fn derived_uuid(seed: u64, name: &str) -> String {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(derived_bytes(seed, name)) {
        *to = from;
    }
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    id.to_string()
}

impl Directory {
    /// The directory of a seed.
    pub fn new(seed: u64) -> Result<Self, KeyRejected> {
        let user = |name: &str, display: &str, covered| User {
            id: derived_uuid(seed, name),
            principal_name: format!("{name}@sim.example"),
            display_name: display.to_owned(),
            covered,
        };
        let mut secret = derived_hex(seed, "secret");
        secret.truncate(36);
        Ok(Self {
            seed,
            tenant: derived_uuid(seed, "tenant"),
            client_id: derived_uuid(seed, "client"),
            client_secret: Secret(format!("sim~{secret}")),
            signing_key: Ed25519KeyPair::from_seed_unchecked(&derived_bytes(seed, "signing"))?,
            users: [
                user("host", "First Host", true),
                user("host2", "Second Host", true),
                user("uncovered", "Uncovered Host", false),
            ],
        })
    }

    /// The user that examples use.
    pub fn host(&self) -> &User {
        let [host, ..] = &self.users;
        host
    }

    /// The user whom the access policy leaves out.
    pub fn denied(&self) -> &User {
        let [.., denied] = &self.users;
        denied
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
}
