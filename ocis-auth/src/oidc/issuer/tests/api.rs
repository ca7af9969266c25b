//! oCIS's JSON interface, as its load tests use it.

use serde_json::json;

use super::*;

fn logon(user: &str, password: &str) -> String {
    json!({
        "params": [user, password, "1"],
        "hello": {
            "scope": "openid profile email",
            "client_id": "web",
            "redirect_uri": CALLBACK,
            "flow": "oidc",
        },
        "state": "the state",
    })
    .to_string()
}

fn api(target: &str) -> http::request::Builder {
    Request::post(target).header("kopano-konnect-xsrf", "1").header("referer", URL)
}

#[tokio::test]
async fn k6_signs_in() {
    let mut desk = Desk::new();
    let reply = desk.send(api(path::LOGON), &logon("marie", "eiram")).await;
    assert_eq!(reply.status, 200);
    let answer = reply.json();
    assert_eq!((&answer["success"], &answer["state"]), (&true.into(), &"the state".into()));
    let hello = &answer["hello"];
    assert_eq!(hello["username"], "marie");
    let go_on = hello["continue_uri"].as_str().unwrap().to_owned();
    assert_eq!(go_on, format!("{URL}/signin/v1/identifier/_/authorize"));
    let query = params::encode([
        ("client_id", "web"),
        ("prompt", "none"),
        ("redirect_uri", CALLBACK),
        ("response_mode", "query"),
        ("response_type", "code"),
        ("scope", "openid profile email"),
    ]);
    let sent = desk.get(&format!("{go_on}?{query}")).await;
    assert_eq!(sent.status, 302);
    let code = sent.code();
    let tokens = desk.redeem(&code, &[("code_verifier", "")]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
}

#[tokio::test]
async fn a_wrong_password_is_204_and_a_foreign_page_400() {
    let mut desk = Desk::new();
    let reply = desk.send(api(path::LOGON), &logon("marie", "wrong")).await;
    assert_eq!((reply.status, &*reply.text), (204, ""));
    assert_eq!(reply.headers["kopano-konnect-state"], "the state");
    let reply = desk.send(api(path::LOGON), &logon("nobody", "wrong")).await;
    assert_eq!((reply.status, &*reply.text), (204, ""));
    let right = logon("marie", "eiram");
    for request in [
        Request::post(path::LOGON),
        Request::post(path::LOGON).header("referer", URL),
        Request::post(path::LOGON).header("kopano-konnect-xsrf", "1"),
        api(path::LOGON).header("origin", "https://evil.example"),
        api(path::LOGON).header("origin", "null"),
    ] {
        assert_eq!(desk.send(request, &right).await.status, 400);
    }
    for body in ["", "[]", "{\"params\":[]}", &right.replace("oidc-callback", "evil")] {
        assert_eq!(desk.send(api(path::LOGON), body).await.status, 400, "{body}");
    }
    assert!(desk.cookies.is_empty());
    *desk.people.slow.lock() = true;
    assert_eq!(desk.send(api(path::LOGON), &right).await.status, 429);
}

#[tokio::test]
async fn hello_tells_who_is_signed_in_and_logoff_ends_it() {
    let mut desk = Desk::new();
    let hello =
        json!({ "state": "s", "flow": "oidc", "client_id": "web", "redirect_uri": CALLBACK });
    let reply = desk.send(api(path::HELLO), &hello.to_string()).await.json();
    assert_eq!((&reply["success"], &reply["state"]), (&false.into(), &"s".into()));
    desk.send(api(path::LOGON), &logon("marie", "eiram")).await;
    let reply = desk.send(api(path::HELLO), &hello.to_string()).await.json();
    assert_eq!((&reply["success"], &reply["displayName"]), (&true.into(), &"MARIE".into()));
    // The page that lets somebody choose the account that is signed in.
    let by_cookie = json!({ "params": ["marie", "", "0"], "state": "s" }).to_string();
    assert_eq!(desk.send(api(path::LOGON), &by_cookie).await.json()["success"], true);
    let other = by_cookie.replace("marie", "einstein");
    assert_eq!(desk.send(api(path::LOGON), &other).await.status, 204);
    let reply = desk.send(api(path::LOGOFF), "{\"state\":\"s\"}").await.json();
    assert_eq!(reply, json!({ "success": true, "state": "s" }));
    let silent = desk.authorize(&[("prompt", "none")]).await;
    assert_eq!(silent.answer().get("error"), Some("login_required"));
    assert_eq!(desk.send(api(path::LOGON), &by_cookie).await.status, 204);
}

#[tokio::test]
async fn consent_for_others() {
    let mut desk = Desk::new();
    let to_other = logon("marie", "eiram")
        .replace("\"web\"", "\"other\"")
        .replace(CALLBACK, "https://other.example/cb");
    let hello = desk.send(api(path::LOGON), &to_other).await.json()["hello"].clone();
    assert_eq!((&hello["next"], &hello["scopes"]["email"]), (&"consent".into(), &true.into()));
    let fields = [
        ("client_id", "other"),
        ("redirect_uri", "https://other.example/cb"),
        ("prompt", "none"),
        ("scope", "openid email"),
    ];
    assert_eq!(desk.authorize(&fields).await.answer().get("error"), Some("consent_required"));
    let consent =
        json!({ "state": "s", "allow": true, "scope": "openid email", "client_id": "other" });
    let reply = desk.send(api(path::CONSENT_API), &consent.to_string()).await;
    assert_eq!(reply.json()["success"], true);
    desk.authorize(&fields).await.code();
    let more = [fields[0], fields[1], fields[2], ("scope", "openid profile")];
    assert_eq!(desk.authorize(&more).await.answer().get("error"), Some("consent_required"));
}
