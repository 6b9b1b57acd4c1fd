//! `convene api-keys`.

use chrono::{DateTime, TimeDelta, Utc};
use convene_kit::{Error, Result};
use serde_json::{Value, json};

use super::{answered, print};
use crate::graphql::Client;

/// A key to be made, in the API's words.
#[derive(Debug)]
pub struct Wish {
    pub name: String,
    pub role: String,
    pub host: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub lasts_ms: Option<i64>,
}

/// Prints all keys of the tenant.
pub async fn list(client: &Client) -> Result<()> {
    let query =
        "query($after: String) { clock { businessTime } apiKeys(first: 100, after: $after) {
        edges { node { id name role scopes lastUsedAt expiresAt revokedAt } }
        pageInfo { hasNextPage endCursor } } }";
    let mut after = Value::Null;
    loop {
        let data = client.call(query, json!({ "after": after })).await?;
        let now = time(&data["clock"]["businessTime"]);
        let page = &data["apiKeys"];
        for edge in page["edges"].as_array().into_iter().flatten() {
            print(&line(&edge["node"], now));
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(());
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

fn line(key: &Value, now: Option<DateTime<Utc>>) -> String {
    let text = |name: &str| key[name].as_str().unwrap_or("-").to_owned();
    let state = match (time(&key["revokedAt"]), time(&key["expiresAt"])) {
        (Some(at), _) => format!("revoked {}", at.format("%F %R")),
        (None, Some(at)) if Some(at) <= now => format!("expired {}", at.format("%F %R")),
        (None, Some(at)) => format!("holds until {}", at.format("%F %R")),
        (None, None) => "holds".to_owned(),
    };
    let used = time(&key["lastUsedAt"]).map_or("never used".to_owned(), |at| {
        format!("used {}", at.format("%F %Hh"))
    });
    let scopes = key["scopes"].as_array().into_iter().flatten();
    let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
    format!(
        "{}  {:<11}  {state}  {used}  {}  {}\n",
        text("id"),
        text("role"),
        scopes.join(","),
        text("name"),
    )
}

/// Makes a key; its secret is printed here and never again.
pub async fn create(client: &Client, wish: Wish) -> Result<()> {
    let expires_at = match wish.lasts_ms {
        None => Value::Null,
        Some(lasts) => {
            let data = client.call("{ clock { businessTime } }", json!({})).await?;
            let now = time(&data["clock"]["businessTime"]);
            let end = now.and_then(|now| now.checked_add_signed(TimeDelta::milliseconds(lasts)));
            let end = end.ok_or_else(|| {
                Error::invalid("--lasts", "OUT_OF_RANGE", "no calendar goes that far")
            })?;
            json!(end.to_rfc3339())
        }
    };
    let query = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
        apiKey { id } secret refusal { reason message } } }";
    let input = json!({"input": {
        "name": wish.name, "role": wish.role, "hostId": wish.host, "scopes": wish.scopes,
        "expiresAt": expires_at,
    }});
    let data = client.call(query, input).await?;
    let made = answered(&data["createApiKey"])?;
    print(&format!(
        "{}\n{}\n",
        made["apiKey"]["id"].as_str().unwrap_or_default(),
        made["secret"].as_str().unwrap_or_default(),
    ));
    Ok(())
}

/// Revokes a key.
pub async fn revoke(client: &Client, id: &str) -> Result<()> {
    let query = "mutation($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) {
        apiKey { name revokedAt } refusal { reason message } } }";
    let data = client.call(query, json!({ "id": id })).await?;
    let key = &answered(&data["revokeApiKey"])?["apiKey"];
    print(&format!(
        "{} is revoked since {}\n",
        key["name"].as_str().unwrap_or("?"),
        key["revokedAt"].as_str().unwrap_or("?"),
    ));
    Ok(())
}
