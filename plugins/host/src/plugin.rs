//! A module that can be called.

use std::sync::Arc;

use wasmtime::{
    Store,
    component::{Component, HasSelf, Linker},
};

use crate::{
    Grants,
    bindings::v0_1::{LobbyHook, LobbyHookPre},
    check::{Outline, contract},
    refusal::Refusal,
    state::State,
};

/// A compiled and linked module. Cheap to keep and to clone; nothing runs in it between calls.
#[derive(Clone)]
pub struct Plugin {
    digest: String,
    hooks: Vec<&'static str>,
    outline: Arc<Outline>,
    pub(crate) lobby: Option<LobbyHookPre<State>>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({}, {:?})", self.digest, self.hooks)
    }
}

impl Plugin {
    /// SHA-256 of the module, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The served hooks that it has.
    pub fn hooks(&self) -> &[&'static str] {
        &self.hooks
    }

    /// The capabilities that it imports, beside those that everybody has.
    pub fn capabilities(&self) -> Vec<&'static str> {
        contract::capabilities(&self.outline)
    }

    /// `Ok` when everything that it imports is granted.
    ///
    /// # Errors
    ///
    /// `CAPABILITY_NOT_GRANTED`, which names the import.
    pub fn ensure_granted(&self, grants: &Grants) -> Result<(), Refusal> {
        contract::imports(&self.outline, grants)
    }

    /// Starts an instance for each hook and asks nothing. Types of functions are compared only here.
    pub(crate) async fn start(&self, store: &mut Store<State>) -> wasmtime::Result<()> {
        if let Some(lobby) = &self.lobby {
            lobby.instantiate_async(&mut *store).await?;
        }
        Ok(())
    }

    /// Links what was compiled.
    pub(crate) fn link(
        digest: String,
        hooks: Vec<&'static str>,
        outline: Outline,
        linker: &Linker<State>,
        component: &Component,
    ) -> Result<Self, Refusal> {
        let wrong = |error: wasmtime::Error| {
            Refusal::WrongType(crate::reason::short(&format!("{error:#}")))
        };
        let linked = linker.instantiate_pre(component).map_err(wrong)?;
        let lobby = hooks.contains(&"lobby");
        let lobby = lobby
            .then(|| LobbyHookPre::new(linked))
            .transpose()
            .map_err(wrong)?;
        Ok(Self {
            digest,
            hooks,
            outline: Arc::new(outline),
            lobby,
        })
    }
}

/// The capabilities of every version that is served.
pub fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    LobbyHook::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// What the contract says about a module's names.
pub fn agree(outline: &Outline, grants: &Grants) -> Result<Vec<&'static str>, Refusal> {
    let hooks = contract::hooks(outline)?;
    contract::imports(outline, grants)?;
    Ok(hooks)
}
