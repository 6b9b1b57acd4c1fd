//! The provider: a process that outlives the house, and its word on what happened there.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::Value;

use super::house::Process;

/// The provider.
pub struct Cloud {
    _process: Process,
    base: String,
    http: reqwest::Client,
}

impl Cloud {
    /// Starts it.
    pub fn start(binary: &Path, log: &Path, http: reqwest::Client) -> Result<Self, String> {
        let arguments = ["simulator", "--no-https", "--listen", "127.0.0.1:0"];
        let process = Process::spawn(binary, &arguments.map(str::to_owned), log)?;
        let process = process.until("control API")?;
        let base = process
            .word("Entra at")
            .ok_or("the simulator names no address")?;
        Ok(Self {
            _process: process,
            base,
            http,
        })
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_simulator/{path}", self.base)
    }

    /// Asks its control API.
    pub async fn ask(&self, path: &str) -> Value {
        let answer = self.http.get(self.url(path)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Tells its control API; `None` when it refuses.
    pub async fn tell(&self, path: &str, body: &Value) -> Option<Value> {
        let sent = self.http.post(self.url(path)).json(body).send();
        let answer = sent.await.unwrap();
        let done = answer.status().is_success();
        let body = answer.bytes().await.unwrap();
        done.then(|| serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Forgets scripted faults.
    pub async fn heal(&self) {
        let url = self.url("faults");
        self.http.delete(url).send().await.unwrap();
    }

    /// Join link and passcode of every event by transaction id, read as any client of the provider reads them.
    pub async fn secrets(&self) -> BTreeMap<String, Vec<String>> {
        let env = self.ask("env").await;
        let text = |name: &str| env[name].as_str().unwrap().to_owned();
        let form = [
            ("client_id", text("GRAPH_CLIENT_ID")),
            ("client_secret", text("GRAPH_CLIENT_SECRET")),
            ("grant_type", "client_credentials".to_owned()),
            ("scope", "https://graph.microsoft.com/.default".to_owned()),
        ];
        let token = self
            .http
            .post(text("GRAPH_TOKEN_URL"))
            .form(&form)
            .send()
            .await
            .unwrap();
        let token: Value = token.json().await.unwrap();
        let token = token["access_token"].as_str().unwrap().to_owned();
        let mut next = Some(format!(
            "{}/users/{}/events?$top=1000",
            text("GRAPH_BASE"),
            text("GRAPH_USER")
        ));
        let mut found = BTreeMap::new();
        while let Some(url) = next {
            let page = self.http.get(url).bearer_auth(&token).send().await.unwrap();
            let page: Value = page.json().await.unwrap();
            for event in page["value"].as_array().into_iter().flatten() {
                let key = event["transactionId"].as_str().unwrap_or_default();
                let link = event["onlineMeeting"]["joinUrl"].as_str();
                found.insert(
                    key.to_owned(),
                    link.into_iter().map(str::to_owned).collect(),
                );
            }
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        found
    }

    /// The user that organises meetings.
    pub async fn organizer(&self) -> String {
        let env = self.ask("env").await;
        env["GRAPH_USER"].as_str().unwrap().to_owned()
    }

    /// Waits until it is asked nothing any more.
    pub async fn quiet(&self) {
        let mut last = 0;
        for _ in 0..100 {
            let requests = self.ask(&format!("requests?since={last}")).await;
            let newest = requests.as_array().and_then(|all| all.last());
            match newest.and_then(|newest| newest["number"].as_u64()) {
                Some(number) => last = number,
                None => return,
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}
