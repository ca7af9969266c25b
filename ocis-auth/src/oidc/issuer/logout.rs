//! Telling clients that a session ended (OpenID Connect Back-Channel Logout 1.0): a signed token,
//! posted to where the client registered that it wants it.
//!
//! Signing out waits for no client: what has to be told goes into a bounded queue, which one
//! background job works off. A client that cannot be reached is tried again twice.

use std::time::Duration;

use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Inner;
use super::client::Client;
use super::seal::random;
use super::store::Session;

/// How much can wait to be told; what comes on top is dropped, and logged.
const QUEUE: usize = 1024;
/// How long a logout token is valid; the specification asks for two minutes at most.
const LIFE: Duration = Duration::from_secs(120);
/// How long a client may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a client is tried.
const TRIES: u32 = 3;

/// Something to be told.
#[derive(Debug)]
struct Notice {
    client: String,
    uri: String,
    token: String,
}

#[derive(Serialize)]
struct LogoutToken<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    sid: &'a str,
    events: Value,
}

/// The entrance of the queue.
#[derive(Debug)]
pub(super) struct Notifier(mpsc::Sender<Notice>);

/// What has to be told to clients.
#[derive(Debug)]
pub struct Deliveries(mpsc::Receiver<Notice>);

pub(super) fn channel() -> (Notifier, Deliveries) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Notifier(sender), Deliveries(receiver))
}

impl Inner {
    /// Has a client told that a session ended, if it wants to know.
    pub(super) fn notify(&self, client: &Client, session: &Session, now: Timestamp) -> Result<()> {
        if client.backchannel_logout_uri.is_empty() {
            return Ok(());
        }
        let token = LogoutToken {
            iss: &self.url,
            aud: &client.id,
            sub: session.user.as_str(),
            iat: now.unix_seconds(),
            exp: now.plus(LIFE).unix_seconds(),
            jti: random()?,
            sid: &session.id,
            events: json!({ "http://schemas.openid.net/event/backchannel-logout": {} }),
        };
        let notice = Notice {
            client: client.id.clone(),
            uri: client.backchannel_logout_uri.clone(),
            token: self.keys.sign_as("logout+jwt", &token)?,
        };
        if let Err(error) = self.notifier.0.try_send(notice) {
            tracing::warn!(service = "idp", client = client.id, %error, "a client is not told of a logout");
        }
        Ok(())
    }
}

impl Deliveries {
    /// What is to be told next, with where.
    #[cfg(test)]
    pub(super) fn next(&mut self) -> Option<(String, String)> {
        self.0.try_recv().ok().map(|notice| (notice.uri, notice.token))
    }

    /// Tells clients what there is to tell, until nothing can come any more. Drop it to stop.
    pub async fn run(&mut self) -> Result<()> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // A token goes where the administrator said and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::internal("no HTTP client").because(error))?;
        while let Some(notice) = self.0.recv().await {
            tell(&http, &notice).await;
        }
        Ok(())
    }
}

async fn tell(http: &reqwest::Client, notice: &Notice) {
    let form = super::params::encode([("logout_token", notice.token.as_str())]);
    for attempt in 1..=TRIES {
        let request = http
            .post(&notice.uri)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.clone());
        let failure = match request.send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => answer.status().to_string(),
            Err(error) => error.without_url().to_string(),
        };
        let client = &notice.client;
        tracing::warn!(
            service = "idp",
            client,
            attempt,
            failure,
            "a client was not told of a logout"
        );
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_that_fails_once_is_told_again() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/logout", socket.local_addr().unwrap());
        let (notifier, mut deliveries) = channel();
        let notice = Notice { client: "web".into(), uri, token: "a.b.c".into() };
        notifier.0.try_send(notice).unwrap();
        drop(notifier);
        let client = async {
            let mut told = Vec::new();
            for status in ["500 No", "200 OK"] {
                let (mut stream, _) = socket.accept().await.unwrap();
                let mut request = String::new();
                while !request.contains("logout_token=a.b.c") {
                    let mut bytes = [0; 1024];
                    let read = stream.read(&mut bytes).await.unwrap();
                    assert_ne!(read, 0, "{request}");
                    request.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
                }
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                told.push(request);
            }
            told
        };
        let (ended, told) = tokio::join!(deliveries.run(), client);
        ended.unwrap();
        assert!(told.iter().all(|request| request.starts_with("POST /logout HTTP/1.1\r\n")));
        let kind = "content-type: application/x-www-form-urlencoded";
        assert!(told.iter().all(|request| request.contains(kind)), "{told:?}");
    }
}
