//! Plugins of a running node, through the public API.

use std::path::Path;

use convene_kit::{Error, Result};
use serde_json::{Value, json};

use super::read;
use crate::{
    command::{answered, print},
    graphql::Client,
};

/// A module to be bound.
#[derive(Debug)]
pub struct Bind {
    pub digest: String,
    pub host: Option<String>,
    pub lobby: Option<String>,
    pub kv_bytes: u64,
    pub facts: bool,
    pub fields: Vec<String>,
    pub settings: Vec<(String, String)>,
    pub on_fault: String,
    pub shadow: bool,
}

const BINDING: &str = "binding { id scope scopeId onFault enabled
    activeBreaker { notBefore } shadowBreaker { notBefore }
    active { digest name version } previous { digest name version } shadow { digest name version } }";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("-")
}

/// Uploads and publishes a module.
pub async fn publish(client: &Client, path: &Path, name: &str, version: &str) -> Result<()> {
    let digest = client.upload_module(read(path).await?).await?;
    let query = "mutation($digest: String!, $name: String!, $version: String!) {
        publishPlugin(input: { digest: $digest, name: $name, version: $version }) {
            module { digest name version capabilities } refusal { reason message } } }";
    let variables = json!({ "digest": digest, "name": name, "version": version });
    let data = client.call(query, variables).await?;
    let module = &answered(&data["publishPlugin"])?["module"];
    print(&format!("{}\n", text(module, "digest")));
    Ok(())
}

/// Prints the published modules.
pub async fn list(client: &Client) -> Result<()> {
    let query = "{ pluginModules { digest name version sizeBytes capabilities publishedAt } }";
    let data = client.call(query, json!({})).await?;
    for module in data["pluginModules"].as_array().into_iter().flatten() {
        let asks: Vec<_> = module["capabilities"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let asks: Vec<_> = asks.into_iter().filter_map(Value::as_str).collect();
        print(&format!(
            "{}  {} {}  {} bytes  {}\n",
            text(module, "digest"),
            text(module, "name"),
            text(module, "version"),
            module["sizeBytes"],
            asks.join(","),
        ));
    }
    Ok(())
}

/// Binds a module and prints the binding.
pub async fn bind(client: &Client, wish: Bind) -> Result<()> {
    let (scope, scope_id) = match (&wish.lobby, &wish.host) {
        (Some(lobby), _) => ("LOBBY", Some(lobby)),
        (None, Some(host)) => ("HOST", Some(host)),
        (None, None) => ("TENANT", None),
    };
    let settings = wish.settings.iter();
    let settings: Vec<_> = settings
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let input = json!({
        "scope": scope, "scopeId": scope_id, "digest": wish.digest, "kvBytes": wish.kv_bytes, "facts": wish.facts,
        "fields": wish.fields, "settings": settings, "onFault": wish.on_fault, "shadow": wish.shadow,
    });
    let query = format!(
        "mutation($input: BindPluginInput!) {{ bindPlugin(input: $input) {{ {BINDING} refusal {{ reason message }} }} }}"
    );
    let data = client.call(&query, json!({ "input": input })).await?;
    show(&answered(&data["bindPlugin"])?["binding"]);
    Ok(())
}

/// `promotePlugin` or `rollBackPlugin`.
pub async fn change(client: &Client, mutation: &str, id: &str) -> Result<()> {
    let query = format!(
        "mutation($id: ID!) {{ {mutation}(input: {{ bindingId: $id }}) {{ {BINDING} refusal {{ reason message }} }} }}"
    );
    let data = client.call(&query, json!({ "id": id })).await?;
    show(&answered(&data[mutation])?["binding"]);
    Ok(())
}

/// Enables or disables a binding.
pub async fn switch(client: &Client, id: &str, enabled: bool) -> Result<()> {
    let query = format!(
        "mutation($id: ID!, $on: Boolean!) {{ switchPlugin(input: {{ bindingId: $id, enabled: $on }}) {{
            {BINDING} refusal {{ reason message }} }} }}"
    );
    let variables = json!({ "id": id, "on": enabled });
    let data = client.call(&query, variables).await?;
    show(&answered(&data["switchPlugin"])?["binding"]);
    Ok(())
}

/// Prints the bindings.
pub async fn bindings(client: &Client) -> Result<()> {
    let query = BINDING.replacen("binding", "pluginBindings", 1);
    let data = client.call(&format!("{{ {query} }}"), json!({})).await?;
    for binding in data["pluginBindings"].as_array().into_iter().flatten() {
        show(binding);
    }
    Ok(())
}

fn show(binding: &Value) {
    let release = |place: &str| match &binding[place] {
        Value::Null => String::new(),
        it => format!(
            "  {place} {} {} {}{}",
            text(it, "name"),
            text(it, "version"),
            text(it, "digest"),
            match binding[format!("{place}Breaker")]["notBefore"].as_str() {
                Some(until) => format!(" tripped, not asked before {until}"),
                None => String::new(),
            },
        ),
    };
    print(&format!(
        "{}  {} {}  {}  on fault {}{}{}{}\n",
        text(binding, "id"),
        text(binding, "scope"),
        text(binding, "scopeId"),
        if binding["enabled"] == true {
            "enabled"
        } else {
            "disabled"
        },
        text(binding, "onFault"),
        release("active"),
        release("shadow"),
        release("previous"),
    ));
}

/// Prints the newest calls of a binding.
pub async fn calls(client: &Client, id: &str) -> Result<()> {
    let query = "query($id: ID!) { pluginCalls(bindingId: $id, first: 100) {
        id visitId digest shadow acted at verdict subject fuel durationUs } }";
    let data = client.call(query, json!({ "id": id })).await?;
    for call in data["pluginCalls"].as_array().into_iter().flatten() {
        let role = match (call["shadow"] == true, call["acted"] == true) {
            (true, _) => "shadow",
            (false, true) => "acted",
            (false, false) => "late",
        };
        print(&format!(
            "{}  {}  {role:<6}  {} {}  {} fuel  {} us  visit {}\n",
            text(call, "id"),
            text(call, "at"),
            text(call, "verdict"),
            text(call, "subject"),
            call["fuel"],
            call["durationUs"],
            text(call, "visitId"),
        ));
    }
    Ok(())
}

/// Makes a call again; fails when it differs.
pub async fn replay(client: &Client, id: &str) -> Result<()> {
    let query = "query($id: ID!) { pluginReplay(callId: $id) { ran differences } }";
    let data = client.call(query, json!({ "id": id })).await?;
    let replay = &data["pluginReplay"];
    let parts = replay["differences"].as_array().into_iter().flatten();
    let parts: Vec<_> = parts.filter_map(Value::as_str).collect();
    if !parts.is_empty() {
        let message = format!("the replay differs in {}", parts.join(", "));
        return Err(Error::refused("REPLAY_DIFFERS", message));
    }
    print(if replay["ran"] == true {
        "the same, bit by bit\n"
    } else {
        "it ended by its moment (time, place, outage): its record says how, and nothing was run\n"
    });
    Ok(())
}

/// Prints where another module would have decided otherwise.
pub async fn diff(client: &Client, binding: &str, digest: &str, last: u32) -> Result<()> {
    let query = "query($id: ID!, $digest: String!, $last: Int!) {
        pluginComparison(bindingId: $id, digest: $digest, last: $last) {
            compared changes { callId visitId wasVerdict wasSubject isVerdict isSubject } } }";
    let variables = json!({ "id": binding, "digest": digest, "last": last });
    let data = client.call(query, variables).await?;
    let found = &data["pluginComparison"];
    let changes = found["changes"].as_array().into_iter().flatten();
    for change in changes.clone() {
        print(&format!(
            "{}  {} {}  ->  {} {}  visit {}\n",
            text(change, "callId"),
            text(change, "wasVerdict"),
            text(change, "wasSubject"),
            text(change, "isVerdict"),
            text(change, "isSubject"),
            text(change, "visitId"),
        ));
    }
    print(&format!(
        "{} compared, {} changed\n",
        found["compared"],
        changes.count()
    ));
    Ok(())
}
