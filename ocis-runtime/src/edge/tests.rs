//! Who gets through the edge, and as whom.

use std::sync::atomic::Ordering;

use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Builder;
use http_body_util::BodyExt as _;
use ocis_core::ErrorKind;
use tower::ServiceExt as _;

use super::fixture::{ADMIN, World};
use super::*;

struct Answered {
    status: u16,
    headers: http::HeaderMap,
    body: String,
}

async fn send(edge: &HttpService, request: Builder) -> Answered {
    let response = edge.clone().oneshot(request.body(empty()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answered {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

fn request(method: &str, target: &str) -> Builder {
    Request::builder().method(method).uri(target).header("host", "cloud.example.org:9200")
}

#[tokio::test]
async fn without_credentials_a_challenge_and_in_webdav_an_xml_body() {
    let edge = World::default().edge(true);
    let answered = send(&edge, request("PROPFIND", "/remote.php/webdav/")).await;
    assert_eq!(answered.status, 401);
    let challenges: Vec<_> = answered.headers.get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!(
        challenges,
        [
            "Bearer realm=\"cloud.example.org:9200\", charset=\"UTF-8\"",
            "Basic realm=\"cloud.example.org:9200\", charset=\"UTF-8\""
        ]
    );
    assert_eq!(answered.headers[CONTENT_TYPE], "application/xml; charset=utf-8");
    assert!(answered.body.contains("Sabre\\DAV\\Exception\\NotAuthenticated"), "{}", answered.body);

    let answered = send(&edge, request("GET", "/ocs/v2.php/cloud/user")).await;
    assert_eq!((answered.status, answered.body.as_str()), (401, "Authentication error\n"));

    let script = request("GET", "/webdav/x").header("x-requested-with", "XMLHttpRequest");
    assert!(!send(&edge, script).await.headers.contains_key(WWW_AUTHENTICATE));

    let odd = Request::builder().uri("/webdav/x").header("host", "a\"b");
    let answered = send(&edge, odd).await;
    let realm = answered.headers[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(realm.contains("\"cloud.example.org\""), "{realm}");
}

#[tokio::test]
async fn basic_authentication_must_be_enabled() {
    let world = World::default();
    let edge = world.edge(false);
    let answered = send(&edge, request("GET", "/webdav/x").header(AUTHORIZATION, ADMIN)).await;
    assert_eq!(answered.status, 401);
    let challenges: Vec<_> = answered.headers.get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!(challenges, ["Bearer realm=\"cloud.example.org:9200\", charset=\"UTF-8\""]);
    assert_eq!(world.directory.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_bearer_token_says_who_is_calling_and_goes_no_further() {
    let edge = World::default().edge(false);
    let with = |token: &str| request("GET", "/webdav/x").header(AUTHORIZATION, token);
    let answered = send(&edge, with("bearer token")).await;
    assert_eq!((answered.status, answered.body.as_str()), (200, "einstein trace= host bytes=0\n"));
    assert_eq!(send(&edge, with("Bearer other")).await.status, 401);
    let twice = with("Bearer token").header(AUTHORIZATION, "Bearer token");
    assert_eq!(send(&edge, twice).await.status, 401);
    let both = with("Bearer token").header(AUTHORIZATION, ADMIN);
    assert_eq!(send(&edge, both).await.status, 401);
    let query = request("GET", "/webdav/x?access_token=token");
    assert_eq!(send(&edge, query).await.status, 401);
}

#[tokio::test]
async fn an_app_token_comes_as_basic_whether_or_not_passwords_are_taken() {
    let world = World::default();
    let token = "Basic bWFyaWU6b2Npc194";
    let get = |value: &str| request("GET", "/webdav/x").header(AUTHORIZATION, value);
    let only = world.edge_with(vec![Scheme::AppToken], "");
    let answered = send(&only, get(token)).await;
    assert_eq!((answered.status, answered.body.as_str()), (200, "marie trace= host bytes=0\n"));
    let answered = send(&only, get(ADMIN)).await;
    assert_eq!(answered.status, 401);
    let both = world.edge_with(vec![Scheme::AppToken, Scheme::Basic], "");
    assert_eq!(send(&both, get(token)).await.status, 200);
    assert_eq!(send(&both, get(ADMIN)).await.status, 200);
    let answered = send(&both, request("GET", "/webdav/x")).await;
    assert_eq!(answered.headers.get_all(WWW_AUTHENTICATE).iter().count(), 1);
}

#[tokio::test]
async fn a_signed_url_is_credentials_where_there_are_no_others() {
    let world = World::default();
    let urls = SignedUrls::new(vec![Method::GET], "https://cloud.example.org");
    let edge = world.edge_with(vec![Scheme::Basic, Scheme::SignedUrl(urls)], "");
    let right = "/webdav/x?OC-Signature=right";
    let answered = send(&edge, request("GET", right)).await;
    assert_eq!((answered.status, answered.body.as_str()), (200, "marie trace= host bytes=0\n"));
    for refused in [
        request("GET", "/webdav/x?OC-Signature=wrong"),
        request("PUT", right),
        request("GET", right).header(AUTHORIZATION, "Basic YWRtaW46d3Jvbmc="),
    ] {
        assert_eq!(send(&edge, refused).await.status, 401);
    }
    assert_eq!(send(&world.edge(true), request("GET", right)).await.status, 401);
}

#[tokio::test]
async fn who_guesses_is_counted_under_the_address_that_cannot_be_forged() {
    let world = World::default();
    let from = async |edge: &HttpService, peer: &str, forwarded: &str| {
        let mut guess = request("GET", "/webdav/x")
            .header(AUTHORIZATION, ADMIN)
            .header("x-forwarded-for", forwarded)
            .header("forwarded", format!("for={forwarded}"))
            .header("x-real-ip", forwarded)
            .header("client-ip", forwarded);
        let address = format!("{peer}:50000").parse().unwrap();
        guess.extensions_mut().unwrap().insert(PeerAddr { address, tls: true });
        send(edge, guess).await;
        world.directory.last.lock().clone()
    };
    let edge = world.edge(true);
    for forged in ["1.2.3.4", "5.6.7.8", "127.0.0.1"] {
        let shown = from(&edge, "192.0.2.1", forged).await;
        assert!(shown.contains("peer: Some(192.0.2.1)"), "{shown}");
    }
    let behind = world.edge_with(vec![Scheme::Basic], "10.0.0.0/8");
    let shown = from(&behind, "10.0.0.1", "6.6.6.6, 1.2.3.4").await;
    assert!(shown.contains("peer: Some(1.2.3.4)"), "what the client wrote comes first: {shown}");
    let shown = from(&behind, "192.0.2.1", "1.2.3.4").await;
    assert!(shown.contains("peer: Some(192.0.2.1)"), "{shown}");
}

#[tokio::test]
async fn the_service_learns_who_is_calling_and_nothing_that_pretends_to_say_so() {
    let edge = World::default().edge(true);
    let mut pretending = request("GET", "/webdav/x")
        .header(AUTHORIZATION, ADMIN)
        .header("x-access-token", "forged")
        .header("transfer-token", "forged")
        .header("x-reva-transfer", "forged");
    pretending.extensions_mut().unwrap().insert(RequestId("r-1".into()));
    let answered = send(&edge, pretending).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.body, "admin trace=r-1 host bytes=0\n");

    let ticket = request("GET", "/data").header("x-reva-transfer", "signed");
    let answered = send(&edge, ticket).await;
    assert!(answered.body.contains("x-reva-transfer"), "{}", answered.body);
}

#[tokio::test]
async fn wrong_or_doubled_credentials_prove_nobody() {
    let edge = World::default().edge(true);
    for value in ["Basic YWRtaW46d3Jvbmc=", "Bearer abc", "Basic", "Negotiate x"] {
        let answered = send(&edge, request("GET", "/webdav/x").header(AUTHORIZATION, value)).await;
        assert_eq!(answered.status, 401, "{value}");
    }
    let twice = request("GET", "/webdav/x")
        .header(AUTHORIZATION, ADMIN)
        .header(AUTHORIZATION, "Basic YWRtaW46d3Jvbmc=");
    assert_eq!(send(&edge, twice).await.status, 401);
}

#[tokio::test]
async fn options_and_public_paths_pass_as_nobody_and_cost_no_check() {
    let world = World::default();
    let edge = world.edge(true);
    for (method, path) in [
        ("OPTIONS", "/remote.php/webdav/"),
        ("GET", "/ocs/v1.php/cloud/capabilities"),
        ("PROPFIND", "/dav/public-files/token"),
        ("GET", "/status.php"),
    ] {
        let answered = send(&edge, request(method, path).header(AUTHORIZATION, ADMIN)).await;
        assert_eq!(answered.status, 200, "{method} {path}");
        assert!(answered.body.starts_with("Anonymous "), "{}", answered.body);
    }
    assert_eq!(world.directory.asked.load(Ordering::Relaxed), 0);
    assert_eq!(send(&edge, Request::builder().method("OPTIONS").uri("*")).await.status, 204);
    assert_eq!(send(&edge, Request::builder().method("GET").uri("*")).await.status, 400);
}

#[tokio::test]
async fn too_many_failures_and_a_directory_that_is_away_are_no_wrong_password() {
    let world = World::default();
    let edge = world.edge(true);
    let get = || request("GET", "/webdav/x").header(AUTHORIZATION, ADMIN);
    for (kind, status, retry) in [
        (ErrorKind::ResourceExhausted, 429, Some("7")),
        (ErrorKind::Unavailable, 503, Some("1")),
        (ErrorKind::Internal, 500, None),
    ] {
        *world.directory.fails.lock() = Some(kind);
        let answered = send(&edge, get()).await;
        assert_eq!(answered.status, status);
        let told = answered.headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap());
        assert_eq!(told, retry);
        assert!(!answered.headers.contains_key(WWW_AUTHENTICATE));
        assert!(answered.body.contains("<d:error"), "{}", answered.body);
    }
}

#[tokio::test]
async fn what_is_not_here_says_so() {
    let edge = World::default().edge(true);
    let answered = send(&edge, request("GET", "/")).await;
    assert_eq!(answered.status, 501);
    assert!(answered.body.contains("https://cloud.example.org/remote.php/webdav"));
    let answered = send(&edge, request("GET", "/graph/v1.0/me")).await;
    assert_eq!(
        (answered.status, answered.body.as_str()),
        (501, "graph is not part of this server\n")
    );
}

#[tokio::test]
async fn a_personal_space_is_made_once_for_everybody_at_once() {
    let world = World::default();
    let edge = world.edge(true);
    let get = || request("GET", "/webdav/x").header(AUTHORIZATION, ADMIN);
    let answers = futures::future::join_all((0..10).map(|_| send(&edge, get()))).await;
    assert!(answers.iter().all(|answered| answered.status == 200));
    let made = world.spaces.made.lock().clone();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].name, "The admin");
    assert_eq!(made[0].alias.as_deref(), Some("personal/admin"));
    assert_eq!(made[0].quota, Some(1000));
}

#[tokio::test]
async fn a_space_that_could_not_be_made_is_tried_again_and_one_that_exists_is_fine() {
    let world = World::default();
    let edge = world.edge(true);
    let get = || request("GET", "/webdav/x").header(AUTHORIZATION, ADMIN);
    for (kind, made) in [(ErrorKind::Unavailable, 1), (ErrorKind::AlreadyExists, 2)] {
        *world.spaces.fails.lock() = Some(kind);
        assert_eq!(send(&edge, get()).await.status, 200);
        assert_eq!(world.spaces.made.lock().len(), made);
    }
    send(&edge, get()).await;
    assert_eq!(world.spaces.made.lock().len(), 2);
    // light:secret
    let light = request("GET", "/webdav/x").header(AUTHORIZATION, "Basic bGlnaHQ6c2VjcmV0");
    assert_eq!(send(&edge, light).await.status, 200);
    assert_eq!(world.spaces.made.lock().len(), 2);
}

#[tokio::test]
async fn the_role_of_the_account_comes_from_whoever_keeps_roles() {
    let world = World::default();
    let edge = world.edge(true);
    // boss:secret
    let boss = || request("GET", "/webdav/x").header(AUTHORIZATION, "Basic Ym9zczpzZWNyZXQ=");
    let answered = send(&edge, boss()).await;
    assert_eq!((answered.status, answered.body.as_str()), (200, "boss! trace= host bytes=0\n"));
    for kind in [ErrorKind::Internal, ErrorKind::Unavailable, ErrorKind::NotFound] {
        *world.roles.fails.lock() = Some(kind);
        let answered = send(&edge, boss()).await;
        assert_eq!(answered.status, 503, "nobody gets in without a role");
        assert!(!answered.headers.contains_key(WWW_AUTHENTICATE));
    }
}

#[tokio::test]
async fn where_the_provider_gives_roles_other_credentials_have_the_one_it_gave() {
    let edge = World { roles_of_provider: true, ..World::default() }.edge(true);
    let seen = async |credentials: &str| {
        send(&edge, request("GET", "/webdav/x").header(AUTHORIZATION, credentials)).await.body
    };
    // boss:secret has one, and admin:secret none yet.
    assert_eq!(seen("Basic Ym9zczpzZWNyZXQ=").await, "boss! trace= host bytes=0\n");
    assert_eq!(seen(ADMIN).await, "admin? trace= host bytes=0\n");
}
