//! Uploads in pieces into the memory.

use async_trait::async_trait;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use ocis_core::data::{Body, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, empty, full};
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::port::{
    ActOnSession, CreateSession, GetSession, ListSessions, OpenSession, Page, SetLength,
    UploadSessions,
};
use ocis_core::time::Timestamp;
use ocis_core::upload::UploadSession;
use ocis_core::{Cx, Error, Result};

use crate::memory::{Memory, USER};

/// An upload that is under way.
#[derive(Debug)]
pub(crate) struct Session {
    request: CreateSession,
    bytes: Vec<u8>,
}

#[async_trait]
impl UploadSessions for Memory {
    async fn create(&self, cx: &Cx, request: CreateSession) -> Result<OpenSession> {
        let mut state = self.0.lock();
        state.check_upload(&request.upload)?;
        state.count += 1;
        let ticket = format!("session-{}", state.count);
        let session = UploadSession {
            id: BlobId::random(),
            space: SpaceId::parse(USER)?,
            node: NodeId::random(),
            name: request.upload.target.path.name().unwrap_or_default().to_owned(),
            offset: 0,
            length: request.upload.length,
            executant: None,
            space_owner: None,
            expires: Some(Timestamp::from_unix(cx.now.unix_seconds() + 86_400, 0)?),
            processing: None,
            scan: None,
            metadata: request.metadata.clone(),
        };
        if request.upload.length == Some(0) {
            state.write(&request.upload, bytes::Bytes::new())?;
        } else {
            state.sessions.insert(ticket.clone(), Session { request, bytes: Vec::new() });
        }
        Ok(OpenSession { session, ticket })
    }

    async fn get(&self, _: &Cx, _: GetSession) -> Result<UploadSession> {
        Err(Error::unimplemented("no protocol asks"))
    }

    async fn set_length(&self, _: &Cx, _: SetLength) -> Result<UploadSession> {
        Err(Error::unimplemented("no protocol asks"))
    }

    async fn abort(&self, _: &Cx, _: GetSession) -> Result<()> {
        Err(Error::unimplemented("no protocol asks"))
    }

    async fn list(&self, _: &Cx, _: ListSessions) -> Result<Page<UploadSession>> {
        Err(Error::unimplemented("no protocol asks"))
    }

    async fn act(&self, _: &Cx, _: ActOnSession) -> Result<UploadSession> {
        Err(Error::unimplemented("no protocol asks"))
    }

    async fn expire(&self, _: &Cx, _: Timestamp) -> Result<u64> {
        Err(Error::unimplemented("no protocol asks"))
    }
}

impl Memory {
    /// What the data plane does with a session. The checksum "sha1 wrong" is one that is wrong.
    pub(crate) async fn resume(
        &self,
        ticket: &str,
        request: Request<Body>,
    ) -> Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let bytes = body.collect().await?.to_bytes();
        let failed = |status: StatusCode, error: Error| {
            let mut response = Response::new(full(serde_json::to_vec(&error).unwrap()));
            *response.status_mut() = status;
            Ok(response)
        };
        let mut state = self.0.lock();
        let Some(session) = state.sessions.get_mut(ticket) else {
            return failed(StatusCode::NOT_FOUND, Error::not_found("the upload is over"));
        };
        let mut response = Response::new(empty());
        match parts.method {
            Method::DELETE => {
                state.sessions.remove(ticket);
                *response.status_mut() = StatusCode::NO_CONTENT;
                return Ok(response);
            }
            Method::HEAD => {
                let headers = response.headers_mut();
                headers.insert(UPLOAD_OFFSET, session.bytes.len().into());
                headers.insert(UPLOAD_LENGTH, session.request.upload.length.unwrap().into());
                headers.insert(UPLOAD_METADATA, "filename YS50eHQ=".parse().unwrap());
                return Ok(response);
            }
            _ => {}
        }
        if parts.headers[UPLOAD_OFFSET] != session.bytes.len().to_string() {
            return failed(StatusCode::CONFLICT, Error::conflict("it goes on elsewhere"));
        }
        if parts.headers.get("upload-checksum").is_some_and(|sum| sum == "sha1 wrong") {
            let status = StatusCode::from_u16(460).unwrap();
            return failed(status, Error::invalid("another checksum"));
        }
        session.bytes.extend_from_slice(&bytes);
        let offset = session.bytes.len();
        *response.status_mut() = StatusCode::NO_CONTENT;
        if session.request.upload.length == Some(offset as u64) {
            let session = state.sessions.remove(ticket).unwrap();
            let written = state.write(&session.request.upload, session.bytes.into())?;
            response = Response::new(full(serde_json::to_vec(&written).unwrap()));
        }
        response.headers_mut().insert(UPLOAD_OFFSET, offset.into());
        Ok(response)
    }
}
