//! What somebody with bad intentions tries.

use super::*;

#[tokio::test]
async fn a_code_counts_once_and_its_second_use_ends_what_came_of_it() {
    let mut desk = Desk::new();
    let code = desk.sign_in("marie", &[]).await.code();
    let tokens = desk.redeem(&code, &[]).await.json();
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    assert_eq!(desk.userinfo(access).await.status, 200);
    let mut desk = desk.restart();
    assert_eq!(desk.redeem(&code, &[]).await.json()["error"], "invalid_grant");
    assert_eq!(desk.userinfo(access).await.status, 401);
    assert_eq!(desk.refresh(refresh).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_code_is_bound_to_client_address_verifier_and_time() {
    let mut desk = Desk::new();
    desk.sign_in("marie", &[]).await;
    for wrong in [
        [("client_id", "other")],
        [("redirect_uri", "https://cloud.example.org/")],
        [("redirect_uri", "")],
        [("code_verifier", "")],
        [("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXj")],
        [("code_verifier", CHALLENGE)],
    ] {
        let code = desk.authorize(&[("prompt", "none")]).await.code();
        assert_eq!(desk.redeem(&code, &wrong).await.json()["error"], "invalid_grant", "{wrong:?}");
        // And whoever tried it has used it up.
        assert_eq!(desk.redeem(&code, &[]).await.json()["error"], "invalid_grant");
    }
    let code = desk.authorize(&[("prompt", "none")]).await.code();
    desk.time = 60;
    assert_eq!(desk.redeem(&code, &[]).await.json()["error"], "invalid_grant", "too late");
    let bare = [("code_challenge", ""), ("code_challenge_method", ""), ("prompt", "none")];
    let code = desk.authorize(&bare).await.code();
    assert_eq!(desk.redeem(&code, &[]).await.json()["error"], "invalid_grant", "a downgrade");
    let code = desk.authorize(&bare).await.code();
    assert_eq!(desk.redeem(&code, &[("code_verifier", "")]).await.status, 200, "as oCIS's k6 does");
    assert_eq!(desk.redeem("x.y", &[]).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn pkce_is_s256_and_public_clients_must() {
    let mut desk = Desk::new();
    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/cb")];
    let cases: [&[(&str, &str)]; 4] = [
        &[("code_challenge_method", "plain")],
        &[("code_challenge_method", "")],
        &[("code_challenge", "short")],
        &[other[0], other[1], ("code_challenge", ""), ("code_challenge_method", "")],
    ];
    for fields in cases {
        let answer = desk.authorize(fields).await.answer();
        assert_eq!(answer.get("error"), Some("invalid_request"), "{fields:?}");
        assert_eq!(answer.get("state"), Some("the state"));
    }
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let mut desk = Desk::new();
    desk.sign_in("marie", &[]).await;
    for uri in [
        "https://evil.example/",
        "https://cloud.example.org/oidc-callback.html.evil.example",
        "https://cloud.example.org/oidc-callback.html/../../evil",
        "https://cloud.example.org@evil.example/oidc-callback.html",
        "https://evil@cloud.example.org/oidc-callback.html",
        "https://cloud.example.org/OIDC-callback.html",
        "https://cloud.example.org/oidc-callback.html/",
        "https://cloud.example.org/oidc-callback.html#x",
        "https://cloud.example.org/oidc-callback.html?x=1",
        "http://cloud.example.org/oidc-callback.html",
        "javascript:alert(1)",
    ] {
        for target in [path::AUTHORIZE, path::SIGN_IN, path::CONSENT] {
            let reply = desk.get(&format!("{target}?{}", request(&[("redirect_uri", uri)]))).await;
            assert_eq!((reply.status, reply.location()), (400, ""), "{uri}");
        }
        let form = [
            ("request", &*request(&[("redirect_uri", uri)])),
            ("username", "x"),
            ("password", "y"),
        ];
        assert_eq!(desk.post(path::SIGN_IN, &form).await.location(), "", "{uri}");
    }
    let unknown = desk.authorize(&[("client_id", "nobody")]).await;
    assert_eq!((unknown.status, unknown.location()), (400, ""));
    assert_eq!(desk.authorize(&[("redirect_uri", "")]).await.location(), "");
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_after_signing_out() {
    let mut desk = Desk::new();
    let hint = desk.tokens("marie").await["id_token"].as_str().unwrap().to_owned();
    for uri in
        ["https://evil.example/", "https://cloud.example.org.evil.example/", "//evil.example"]
    {
        for hinted in [true, false] {
            let mut fields = vec![("post_logout_redirect_uri", uri)];
            if hinted {
                fields.push(("id_token_hint", &hint));
            }
            let query = params::encode(fields);
            let reply = desk.get(&format!("{}?{query}", path::END_SESSION)).await;
            assert_eq!(reply.location(), "", "{uri}");
            assert!(desk.cookies.contains_key("__Secure-KKT"), "{uri}");
        }
    }
    // Without a token of the person, a page asks first.
    let page = desk.get(path::END_SESSION).await;
    assert!(page.text.contains("Sign out?"));
    assert_eq!(desk.post(path::END_SESSION, &[("token", "x")]).await.location(), "");
    assert!(desk.cookies.contains_key("__Secure-KKT"));
    let token = page.field("token");
    let reply = desk.post(path::END_SESSION, &[("token", &token)]).await;
    assert_eq!(reply.location(), path::GOODBYE);
    assert!(!desk.cookies.contains_key("__Secure-KKT"));
    // Nobody is signed in any more: still nobody is sent away.
    let query = params::encode([("post_logout_redirect_uri", "https://evil.example/")]);
    let reply = desk.get(&format!("{}?{query}", path::END_SESSION)).await;
    assert_eq!(reply.location(), path::GOODBYE);
}

#[tokio::test]
async fn a_hint_must_be_signed_by_us() {
    let mut desk = Desk::new();
    let hint = desk.tokens("marie").await["id_token"].as_str().unwrap().to_owned();
    let mut parts = hint.split('.');
    let (head, body) = (parts.next().unwrap(), parts.next().unwrap());
    // {"alg":"none","kid":"private-key"} and {"alg":"HS256","kid":"private-key"}
    for forged in [
        format!("eyJhbGciOiJub25lIiwia2lkIjoicHJpdmF0ZS1rZXkifQ.{body}."),
        format!("eyJhbGciOiJIUzI1NiIsImtpZCI6InByaXZhdGUta2V5In0.{body}.AAAA"),
        format!("{head}.{body}.AAAA"),
        format!("{head}.{body}."),
        "nonsense".to_owned(),
    ] {
        let answer = desk.authorize(&[("id_token_hint", &forged)]).await.answer();
        assert_eq!(answer.get("error"), Some("invalid_request"), "{forged}");
        let reply = desk.get(&format!("{}?id_token_hint={forged}", path::END_SESSION)).await;
        assert_eq!(reply.status, 400, "{forged}");
        assert_eq!(desk.userinfo(&forged).await.status, 401);
    }
    assert_eq!(desk.userinfo(&hint).await.status, 401, "an ID token opens nothing");
    assert!(desk.cookies.contains_key("__Secure-KKT"));
}

#[tokio::test]
async fn what_is_not_supported_is_refused_and_nothing_comes_twice() {
    let mut desk = Desk::new();
    for (field, error) in [
        (("request", "x.y.z"), "request_not_supported"),
        (("request_uri", "https://a/x"), "request_uri_not_supported"),
        (("registration", "{}"), "registration_not_supported"),
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", "id_token token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("scope", "profile"), "invalid_scope"),
        (("prompt", "none login"), "invalid_request"),
        (("max_age", "-1"), "invalid_request"),
    ] {
        let answer = desk.authorize(&[field]).await.answer();
        assert_eq!(answer.get("error"), Some(error), "{field:?}");
        assert_eq!(answer.get("iss"), Some(URL));
    }
    for twice in
        ["&redirect_uri=https://evil.example/", "&client_id=other", "&state=x", "&scope=openid"]
    {
        let reply = desk.get(&format!("{}?{}{twice}", path::AUTHORIZE, request(&[]))).await;
        assert_eq!((reply.status, reply.location()), (400, ""), "{twice}");
    }
    let body = "grant_type=authorization_code&code=a&code=b&client_id=web";
    let reply = desk.send(Request::post(path::TOKEN), body).await;
    assert_eq!(reply.json()["error"], "invalid_request");
    assert_eq!(desk.get(path::TOKEN).await.status, 405);
    let long = "x".repeat(MAX_BODY + 1);
    assert_eq!(desk.send(Request::post(path::TOKEN), &long).await.status, 413);
    assert_eq!(
        desk.post(path::TOKEN, &[("grant_type", "password"), ("client_id", "web")]).await.json()["error"],
        "unsupported_grant_type"
    );
    assert_eq!(desk.post(path::TOKEN, &[("client_id", "nobody")]).await.status, 401);
}

#[tokio::test]
async fn the_form_counts_only_in_the_browser_that_it_was_given_to() {
    let mut desk = Desk::new();
    let page = desk.get(&format!("{}?{}", path::SIGN_IN, request(&[]))).await;
    let (token, carried) = (page.field("token"), page.field("request"));
    let fill = |token: &str, carried: &str| {
        params::encode([
            ("token", token),
            ("request", carried),
            ("username", "marie"),
            ("password", "eiram"),
        ])
    };
    let expired =
        |reply: &Reply| reply.status == 400 && reply.text.contains("This form had expired");
    // Another browser, no browser, no token, another request, another site.
    let jar = std::mem::take(&mut desk.cookies);
    let reply = desk.send(Request::post(path::SIGN_IN), &fill(&token, &carried)).await;
    assert!(expired(&reply), "{}", reply.text);
    desk.cookies = jar;
    for (token, carried) in
        [("", &*carried), ("x", &*carried), (&*token, ""), (&*token, &request(&[("state", "y")]))]
    {
        let reply = desk.send(Request::post(path::SIGN_IN), &fill(token, carried)).await;
        assert!(expired(&reply), "{}", reply.text);
    }
    for origin in ["https://evil.example", "null", "https://cloud.example.org.evil.example"] {
        let foreign = Request::post(path::SIGN_IN).header("origin", origin);
        assert!(expired(&desk.send(foreign, &fill(&token, &carried)).await), "{origin}");
    }
    let foreign = Request::post(path::SIGN_IN).header("origin", "null");
    let foreign = foreign.header("sec-fetch-site", "cross-site");
    assert!(expired(&desk.send(foreign, &fill(&token, &carried)).await));
    assert!(!desk.cookies.contains_key("__Secure-KKT"));
    let own = Request::post(path::SIGN_IN).header("origin", "null");
    let own = own.header("sec-fetch-site", "same-origin");
    desk.send(own, &fill(&token, &carried)).await.code();
    let own = Request::post(path::SIGN_IN).header("origin", URL);
    desk.send(own, &fill(&token, &carried)).await.code();
}

#[tokio::test]
async fn signing_in_gives_a_new_session() {
    let mut desk = Desk::new();
    desk.sign_in("einstein", &[]).await.code();
    let planted = desk.cookies["__Secure-KKT"].clone();
    // Marie signs in in a browser into which Einstein's cookie was planted.
    desk.sign_in("marie", &[("prompt", "login")]).await.code();
    assert_ne!(desk.cookies["__Secure-KKT"], planted);
    desk.cookies.insert("__Secure-KKT".into(), planted);
    let silent = desk.authorize(&[("prompt", "none")]).await;
    assert_eq!(silent.answer().get("error"), Some("login_required"), "the old session has ended");
    // One that we did not make is none.
    desk.cookies.insert("__Secure-KKT".into(), "AAAAAAAAAAAAAAAAAAAAAA.AAAA".into());
    let silent = desk.authorize(&[("prompt", "none")]).await;
    assert_eq!(silent.answer().get("error"), Some("login_required"));
}

#[tokio::test]
async fn nobody_learns_which_accounts_there_are() {
    let mut desk = Desk::new();
    let page = desk.get(path::SIGN_IN).await;
    let fields = |name: &str| {
        vec![
            ("token", page.field("token")),
            ("request", String::new()),
            ("username", name.to_owned()),
            ("password", "wrong".to_owned()),
        ]
    };
    let mut texts = Vec::new();
    for name in ["marie", "nobody"] {
        let fields = fields(name);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let reply = desk.post(path::SIGN_IN, &fields).await;
        texts.push((
            reply.status,
            reply.text.replace(&format!("value=\"{name}\""), "value=\"marie\""),
        ));
    }
    *desk.people.disabled.lock() = true;
    let disabled = desk.fill_in(&page, "marie", "eiram").await;
    texts.push((disabled.status, disabled.text));
    assert_eq!(texts[0].0, 401);
    assert!(texts[0].1.contains("User name or password is wrong"));
    assert!(texts.iter().all(|text| *text == texts[0]));
    *desk.people.slow.lock() = true;
    let slow = desk.fill_in(&page, "marie", "eiram").await;
    assert_eq!(slow.status, 429);
    assert!(slow.text.contains("Too many attempts"));
}
