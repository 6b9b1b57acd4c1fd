//! Identities and their tokens.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Ask, Reply, json::Fields, unexpected};
use crate::{
    Command, Outcome, Port, Problem, Scope, TokenWish,
    identity::{self, MINUTES},
    time::rfc3339,
};

/// `POST /identities`.
pub async fn create(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let wish = wish(&ask.fields()?, "createTokenWithScopes", false)?;
    let (id, expires_ms) = identity(port, Command::CreateIdentity(wish.clone())).await?;
    let mut body = json!({"identity": {"id": id}});
    if let (Some(wish), Some(expires_ms), Some(body)) = (wish, expires_ms, body.as_object_mut()) {
        let token = token(port, &id, &wish, expires_ms)?;
        body.insert("accessToken".to_owned(), token);
    }
    Ok(Reply::of(StatusCode::CREATED, body))
}

/// `POST /identities/{id}/:issueAccessToken`.
pub async fn issue(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let wish = wish(&ask.fields()?, "scopes", true)?;
    let wish = wish.ok_or_else(|| Problem::bad("scopes", "scopes is required."))?;
    let (id, expires_ms) = identity(port, Command::IssueToken(ask.id(), wish.clone())).await?;
    let expires_ms = expires_ms.unwrap_or_else(|| wish.expires_ms(port.now_ms()));
    Ok(Reply::of(
        StatusCode::OK,
        token(port, &id, &wish, expires_ms)?,
    ))
}

/// `POST /identities/{id}/:revokeAccessTokens`.
pub async fn revoke(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    port.run(Command::RevokeTokens(ask.id()), None).await?;
    Ok(Reply::empty())
}

/// `DELETE /identities/{id}`.
pub async fn delete(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    port.run(Command::DeleteIdentity(ask.id()), None).await?;
    Ok(Reply::empty())
}

/// `POST /teamsUser/:exchangeAccessToken`.
pub fn exchange(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let fields = ask.fields()?;
    let token = fields.required_text("token")?;
    let app = fields.required_text("appId")?;
    let user = fields.required_text("userId")?;
    let teams = port
        .teams_user(&token)
        .map_err(|bad| Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", bad.0).at("token"))?;
    let now_ms = port.now_ms();
    if teams.expires_ms <= now_ms {
        let text = "The Entra token has expired; ask Entra for a new one.";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", text).at("token"));
    }
    for (name, given, said) in [("appId", app, &teams.app), ("userId", user, &teams.user)] {
        if !given.eq_ignore_ascii_case(said) {
            let text = format!("{name} is not the one that the token was issued for.");
            return Err(Problem::bad(name, text));
        }
    }
    let resource = port.resource();
    let token = identity::teams_token(resource, &teams.user, now_ms, teams.expires_ms)?;
    let body = json!({"token": token, "expiresOn": rfc3339(teams.expires_ms)});
    Ok(Reply::of(StatusCode::OK, body))
}

async fn identity(port: &dyn Port, command: Command) -> Result<(String, Option<i64>), Problem> {
    match port.run(command, None).await? {
        Outcome::Identity { id, expires_ms } => Ok((id, expires_ms)),
        other => Err(unexpected(&other)),
    }
}

fn token(port: &dyn Port, id: &str, wish: &TokenWish, expires_ms: i64) -> Result<Value, Problem> {
    let token = identity::token(port.resource(), id, &wish.scopes, port.now_ms(), expires_ms)?;
    Ok(json!({"token": token, "expiresOn": rfc3339(expires_ms)}))
}

/// Scopes and life; `None` when no token is wished for.
fn wish(fields: &Fields, name: &str, required: bool) -> Result<Option<TokenWish>, Problem> {
    let minutes = fields
        .integer("expiresInMinutes")?
        .unwrap_or(*MINUTES.end());
    if !MINUTES.contains(&minutes) {
        let text = format!(
            "expiresInMinutes is {} to {}.",
            MINUTES.start(),
            MINUTES.end()
        );
        return Err(Problem::bad("expiresInMinutes", text));
    }
    let mut scopes = Vec::new();
    for value in fields.list(name)?.into_iter().flatten() {
        let scope = value.as_str().and_then(Scope::parse).ok_or_else(|| {
            let text =
                format!("{name} has voip, voip.join, chat, chat.join and chat.join.limited only.");
            Problem::bad(name, text)
        })?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        return match required {
            true => Err(Problem::bad(
                name,
                format!("{name} must name at least one scope."),
            )),
            false => Ok(None),
        };
    }
    Ok(Some(TokenWish { scopes, minutes }))
}
