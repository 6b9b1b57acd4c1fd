//! A small SMTP server (RFC 5321): takes messages, or refuses them as a test says.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// How it answers the end of a message.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Takes it.
    Take,
    /// Takes it, and the connection ends before the answer.
    TakeAndDrop,
    /// Refuses it with this code and keeps nothing.
    Refuse(u16),
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: String,
    pub text: String,
}

impl Mail {
    /// Value of a header.
    pub fn header(&self, name: &str) -> String {
        let prefix = format!("{name}: ");
        let line = self.text.lines().find(|line| line.starts_with(&prefix));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.text))[prefix.len()..].to_owned()
    }
}

#[derive(Clone, Default)]
pub struct MailServer {
    pub port: u16,
    taken: Arc<Mutex<Vec<Mail>>>,
    script: Arc<Mutex<Vec<Act>>>,
}

impl MailServer {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            ..Self::default()
        };
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                // Whoever goes away in the middle is nobody's business.
                tokio::spawn(async move { own.talk(stream).await.ok() });
            }
        });
        server
    }

    /// The next answers, in this order; then everything is taken.
    pub fn script(&self, acts: &[Act]) {
        self.script.lock().unwrap().extend(acts.iter().rev());
    }

    pub fn taken(&self) -> Vec<Mail> {
        self.taken.lock().unwrap().clone()
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 test\r\n").await?;
        let mut to = String::new();
        while let Some(line) = lines.next_line().await? {
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "EHLO" | "HELO" => "250 test\r\n",
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 ok\r\n"
                }
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    let mut text = String::new();
                    while let Some(line) = lines.next_line().await? {
                        if line == "." {
                            break;
                        }
                        text.push_str(line.strip_prefix('.').unwrap_or(&line));
                        text.push('\n');
                    }
                    let act = self.script.lock().unwrap().pop().unwrap_or(Act::Take);
                    if let Act::Refuse(code) = act {
                        let answer = format!("{code} no\r\n");
                        write.write_all(answer.as_bytes()).await?;
                        continue;
                    }
                    let mail = Mail {
                        to: to.clone(),
                        text,
                    };
                    self.taken.lock().unwrap().push(mail);
                    if let Act::TakeAndDrop = act {
                        return Ok(());
                    }
                    "250 taken\r\n"
                }
                "QUIT" => {
                    write.write_all(b"221 bye\r\n").await?;
                    return Ok(());
                }
                _ => "250 ok\r\n",
            };
            write.write_all(answer.as_bytes()).await?;
        }
        Ok(())
    }
}
