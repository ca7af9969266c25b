//! The endpoints as clients see them; what oCIS answers is from a server of version 7.

mod accounts;
mod drives;
mod fake;
mod groups;
mod refusals;
mod roles;

use std::collections::HashMap;
use std::sync::Arc;

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use ocis_core::data::{HttpService, full};
use ocis_core::port::{Late, Nodes, Uploads};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx};
use tower::{ServiceExt as _, service_fn};

use self::fake::{ADMIN, Fake, RICHARD, now};
use crate::{Graph, GraphOptions, GraphParts};

const APPLICATION: &str = "8ea1c2e5-application";

fn service(fake: &Fake, options: GraphOptions) -> HttpService {
    let quotas = HashMap::from([(UserRole::User.id().to_owned(), 10_000)]);
    Graph::new(GraphParts {
        spaces: Arc::new(fake.clone()),
        grants: Arc::new(fake.clone()),
        // What goes through them is checked with a whole server.
        nodes: Arc::new(Late::<dyn Nodes>::unbound()),
        uploads: Arc::new(Late::<dyn Uploads>::unbound()),
        data: HttpService::new(service_fn(|_| async { Ok(http::Response::new(full(""))) })),
        users: Arc::new(fake.clone()),
        groups: Arc::new(fake.clone()),
        provisioning: Arc::new(fake.clone()),
        roles: Arc::new(fake.clone()),
        settings: Arc::new(fake.clone()),
        authenticate: Arc::new(fake.clone()),
        events: Some(Arc::new(fake.clone())),
        role_quotas: Arc::new(quotas.into()),
        options,
    })
}

/// A server whose state the test can look at.
struct Server {
    fake: Fake,
    options: GraphOptions,
}

impl Server {
    fn new() -> Self {
        let options = GraphOptions {
            url: "https://localhost:9200/".into(),
            application_id: APPLICATION.into(),
            ..GraphOptions::default()
        };
        Self { fake: Fake::demo(), options }
    }

    /// One request of the admin with a header.
    async fn admin_with(
        &self,
        header: (&str, &str),
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, String) {
        let path = format!("v1.0/{path}");
        let request = Request::builder().header(header.0, header.1);
        let (status, body) =
            self.answer(request, self.fake.caller(ADMIN), method, &path, body).await;
        (status.as_u16(), body)
    }

    /// One request; `path` stands below `/graph/`; its blanks and quotes are escaped.
    async fn send(
        &self,
        caller: Caller,
        method: &str,
        path: &str,
        body: &str,
    ) -> (StatusCode, String) {
        self.answer(Request::builder(), caller, method, path, body).await
    }

    async fn answer(
        &self,
        request: http::request::Builder,
        caller: Caller,
        method: &str,
        path: &str,
        body: &str,
    ) -> (StatusCode, String) {
        let uri = format!("/graph/{}", path.replace(' ', "%20").replace('"', "%22"));
        let mut request = request.method(method).uri(uri).body(full(body.to_owned())).unwrap();
        let mut cx = Cx::new(caller, now());
        cx.trace = "request-1".into();
        request.extensions_mut().insert(cx);
        let service = service(&self.fake, self.options.clone());
        let response = service.oneshot(request).await.unwrap();
        let status = response.status();
        if status != StatusCode::NO_CONTENT {
            assert_eq!(response.headers()["content-type"], "application/json");
        }
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    async fn admin(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let path = format!("v1.0/{path}");
        let (status, body) = self.send(self.fake.caller(ADMIN), method, &path, body).await;
        (status.as_u16(), body)
    }

    async fn richard(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let path = format!("v1.0/{path}");
        let (status, body) = self.send(self.fake.caller(RICHARD), method, &path, body).await;
        (status.as_u16(), body)
    }

    /// What was told, in oCIS's words.
    fn events(&self) -> Vec<&'static str> {
        self.fake.0.lock().events.iter().map(|event| event.kind.name()).collect()
    }
}

/// A field of each item of a list.
fn each(body: &str, field: &str) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let items = body["value"].as_array().unwrap();
    items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}
