//! One connection: reads messages, one after the other, and answers them within limits.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindResponse, LdapExtendedRequest, LdapExtendedResponse, LdapMsg, LdapOp,
    LdapPasswordModifyRequest, LdapResult, LdapResultCode, OID_PASSWORD_MODIFY, OID_WHOAMI,
};
use ldap3_proto::{DisconnectionNotice, LdapCodec};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

use super::LdapServer;
use super::bind::Bound;
use super::result::{Refusal, outcome, result};
use super::search::{Found, Page};

/// The largest message; a group with a thousand members fits.
const MAX_MESSAGE: usize = 256 * 1024;
/// How deep a message may nest, filters included.
const MAX_DEPTH: usize = 40;
/// Until somebody is bound.
const UNBOUND: Duration = Duration::from_secs(30);
/// Without a request. Clients that keep connections open come back by themselves.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// Without the client taking what is sent.
const WRITE: Duration = Duration::from_secs(60);
/// Failed binds after which the connection ends.
const MAX_FAILURES: u32 = 3;
/// How long a wrong password keeps a connection busy, on top of what slows down who guesses.
const FAILED: Duration = Duration::from_millis(500);

type Connection<S> = Framed<S, LdapCodec>;

impl LdapServer {
    /// Serves one connection until its client leaves it, breaks the protocol or does nothing for
    /// too long, or until `stop`. `peer` is the address of the client.
    pub async fn serve<S>(&self, stream: S, peer: Option<IpAddr>, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let codec = LdapCodec::new(Some(MAX_MESSAGE), Some(MAX_DEPTH));
        let mut connection = Framed::new(stream, codec);
        let mut session = Session { server: self, peer, bound: Bound::Nobody, failures: 0 };
        loop {
            let patience = if session.bound == Bound::Nobody { UNBOUND } else { IDLE };
            let next = tokio::select! {
                () = stop.cancelled() => break,
                next = timeout(patience, connection.next()) => next,
            };
            let message = match next {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => {
                    tracing::debug!(%error, ?peer, "an LDAP client broke the protocol");
                    let text = "this is no message of LDAP";
                    let notice =
                        DisconnectionNotice::gen_response(LdapResultCode::ProtocolError, text);
                    let _ = send(&mut connection, [notice]).await;
                    break;
                }
                Ok(None) | Err(_) => break,
            };
            match session.answer(&mut connection, message).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::debug!(%error, ?peer, "an LDAP client went away");
                    break;
                }
            }
        }
    }
}

struct Session<'a> {
    server: &'a LdapServer,
    peer: Option<IpAddr>,
    bound: Bound,
    failures: u32,
}

impl Session<'_> {
    /// Answers a message; whether the connection goes on.
    async fn answer<S>(
        &mut self,
        connection: &mut Connection<S>,
        message: LdapMsg,
    ) -> io::Result<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let LdapMsg { msgid, op, ctrl } = message;
        let reply = |op| LdapMsg::new(msgid, op);
        let wanted = controls(&ctrl, &op);
        let answer = match op {
            LdapOp::UnbindRequest => return Ok(false),
            // Requests are answered in their order: what is to be abandoned is answered already.
            LdapOp::AbandonRequest(_) => return Ok(true),
            LdapOp::BindRequest(request) => {
                // Whoever binds anew is nobody until that succeeded (RFC 4513, 3.1).
                self.bound = Bound::Nobody;
                let bound = match wanted {
                    Ok(_) => self.server.bind(request, self.peer).await,
                    Err(refusal) => Err(refusal),
                };
                let res = self.bind_result(bound).await;
                LdapOp::BindResponse(LdapBindResponse { res, saslcreds: None })
            }
            LdapOp::SearchRequest(request) => {
                let found = wanted.and_then(|page| {
                    let found = self.server.search(&self.bound, &request, page.as_ref())?;
                    Ok((found, page.is_some()))
                });
                return search_answer(connection, msgid, found).await.map(|()| true);
            }
            LdapOp::CompareRequest(request) => {
                let compared = wanted.and_then(|_| self.server.compare(&self.bound, &request));
                LdapOp::CompareResult(match compared {
                    Ok(true) => result(LdapResultCode::CompareTrue, ""),
                    Ok(false) => result(LdapResultCode::CompareFalse, ""),
                    Err(refusal) => outcome(Err(refusal)),
                })
            }
            LdapOp::AddRequest(request) => LdapOp::AddResponse(match self.writes(wanted) {
                Ok(()) => outcome(self.server.add(request).await),
                Err(refusal) => outcome(Err(refusal)),
            }),
            LdapOp::ModifyRequest(request) => LdapOp::ModifyResponse(match self.writes(wanted) {
                Ok(()) => outcome(self.server.modify(request).await),
                Err(refusal) => outcome(Err(refusal)),
            }),
            LdapOp::ModifyDNRequest(request) => {
                LdapOp::ModifyDNResponse(match self.writes(wanted) {
                    Ok(()) => outcome(self.server.rename(request).await),
                    Err(refusal) => outcome(Err(refusal)),
                })
            }
            LdapOp::DelRequest(name) => LdapOp::DelResponse(match self.writes(wanted) {
                Ok(()) => outcome(self.server.delete(&name).await),
                Err(refusal) => outcome(Err(refusal)),
            }),
            LdapOp::ExtendedRequest(request) => {
                LdapOp::ExtendedResponse(self.extended(request, wanted).await)
            }
            // What only a server says.
            _ => return Ok(false),
        };
        send(connection, [reply(answer)]).await?;
        Ok(self.failures < MAX_FAILURES)
    }

    async fn bind_result(&mut self, bound: Result<Bound, Refusal>) -> LdapResult {
        match bound {
            Ok(bound) => {
                self.bound = bound;
                self.failures = 0;
                outcome(Ok(()))
            }
            Err(refusal) => {
                self.failures += 1;
                if refusal.code == LdapResultCode::InvalidCredentials {
                    tokio::time::sleep(FAILED).await;
                }
                outcome(Err(refusal))
            }
        }
    }

    fn writes(&self, wanted: Result<Option<Page>, Refusal>) -> Result<(), Refusal> {
        wanted?;
        self.bound.may_write()
    }

    async fn extended(
        &self,
        request: LdapExtendedRequest,
        wanted: Result<Option<Page>, Refusal>,
    ) -> LdapExtendedResponse {
        let mut value = None;
        let done = match (wanted, request.name.as_str()) {
            (Err(refusal), _) => Err(refusal),
            (Ok(_), OID_WHOAMI) => {
                value = Some(self.bound.authorization_id().into_bytes());
                Ok(())
            }
            (Ok(_), OID_PASSWORD_MODIFY) => self.password(&request).await,
            _ => Err(Refusal::new(LdapResultCode::ProtocolError, "this operation is not known")),
        };
        LdapExtendedResponse { res: outcome(done), name: None, value }
    }

    async fn password(&self, request: &LdapExtendedRequest) -> Result<(), Refusal> {
        self.bound.may_write()?;
        let request = LdapPasswordModifyRequest::try_from(request).map_err(|_| {
            Refusal::new(LdapResultCode::ProtocolError, "this is no change of a password")
        })?;
        self.server.set_password(request).await
    }
}

/// The page that is asked for. A critical control that is not known refuses the whole request
/// (RFC 4511, 4.1.11).
fn controls(controls: &[LdapControl], op: &LdapOp) -> Result<Option<Page>, Refusal> {
    let mut page = None;
    for control in controls {
        match control {
            LdapControl::SimplePagedResults { size, cookie }
                if matches!(op, LdapOp::SearchRequest(_)) =>
            {
                let size = usize::try_from(*size).unwrap_or_default();
                page = Some(Page { size, cookie: cookie.clone() });
            }
            // There are no referrals here that could be managed.
            LdapControl::ManageDsaIT { .. }
            | LdapControl::PasswordPolicyRequest { criticality: false }
            | LdapControl::Unknown { criticality: false, .. } => {}
            _ => {
                let text = "a control of the request is not known";
                return Err(Refusal::new(LdapResultCode::UnavailableCriticalExtension, text));
            }
        }
    }
    Ok(page)
}

async fn search_answer<S>(
    connection: &mut Connection<S>,
    msgid: i32,
    found: Result<(Found, bool), Refusal>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (found, paged) = match found {
        Ok(found) => found,
        Err(refusal) => {
            let done = LdapOp::SearchResultDone(outcome(Err(refusal)));
            return send(connection, [LdapMsg::new(msgid, done)]).await;
        }
    };
    let entries = found.entries.into_iter();
    let entries = entries.map(|entry| LdapMsg::new(msgid, LdapOp::SearchResultEntry(entry)));
    let done = LdapOp::SearchResultDone(result(found.code, ""));
    let done = match paged {
        true => {
            let page = LdapControl::SimplePagedResults { size: 0, cookie: found.cookie };
            LdapMsg::new_with_ctrls(msgid, done, vec![page])
        }
        false => LdapMsg::new(msgid, done),
    };
    send(connection, entries.chain([done])).await
}

async fn send<S>(
    connection: &mut Connection<S>,
    messages: impl IntoIterator<Item = LdapMsg>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    for message in messages {
        timeout(WRITE, connection.feed(message)).await??;
    }
    timeout(WRITE, connection.flush()).await?
}
