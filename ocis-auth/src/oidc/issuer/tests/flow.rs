//! What goes right, from the first redirect to signing out.

use super::*;

#[tokio::test]
async fn a_browser_signs_in_and_a_client_gets_tokens() {
    let mut desk = Desk::new();
    let sent = desk.sign_in("marie", &[]).await;
    assert_eq!(sent.status, 303);
    let answer = sent.answer();
    assert!(sent.location().starts_with(&format!("{CALLBACK}?")));
    assert_eq!(answer.get("state"), Some("the state"));
    assert_eq!(answer.get("iss"), Some(URL));
    assert!(answer.get("session_state").unwrap().contains('.'));
    assert_eq!(*desk.people.peers.lock(), [Some("192.0.2.7".parse().unwrap())]);

    let reply = desk.redeem(answer.get("code").unwrap(), &[]).await;
    assert_eq!(reply.headers["cache-control"], "no-store");
    let tokens = reply.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &300.into()));
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id["nonce"], "the nonce");
    assert_eq!((&id["iss"], &id["aud"]), (&URL.into(), &"web".into()));
    assert_eq!(id["auth_time"], 1_800_000_000);
    let access = tokens["access_token"].as_str().unwrap();
    let told = claims(access);
    let person = "4c510ada-c86b-4815-8820-42cdf82c3d51";
    assert_eq!((&told["sub"], &told["lg.uuid"]), (&person.into(), &person.into()));
    assert_eq!((&told["lg.t"], &told["lg.p"]), (&"1".into(), &"identifier-ldap".into()));
    assert_eq!(told["lg.i"]["un"], "marie");
    assert_eq!(told["lg.i"]["dn"], "MARIE");
    assert_eq!(told["lg.i"]["id"], format!("ownCloudUUID={person}"));
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 300);

    let info = desk.userinfo(access).await.json();
    assert_eq!(info["sub"], id["sub"]);
    assert_eq!((&info["name"], &info["email"]), (&"MARIE".into(), &"marie@example.org".into()));
    assert_eq!(info["preferred_username"], "marie");

    desk.time = 299;
    assert_eq!(desk.userinfo(access).await.status, 200);
    desk.time = 300;
    assert_eq!(desk.userinfo(access).await.status, 401, "expired");
}

#[tokio::test]
async fn a_session_answers_without_a_page() {
    let mut desk = Desk::new();
    let silent = [("prompt", "none")];
    assert_eq!(desk.authorize(&silent).await.answer().get("error"), Some("login_required"));
    desk.sign_in("marie", &[]).await.code();
    desk.time = 100;
    let code = desk.authorize(&silent).await.code();
    let id = desk.redeem(&code, &[]).await.json();
    assert_eq!(claims(id["id_token"].as_str().unwrap())["auth_time"], 1_800_000_000);
    // Who must give the password again gives it again, and is not asked twice.
    assert!(desk.authorize(&[("max_age", "99")]).await.location().starts_with(path::SIGN_IN));
    desk.authorize(&[("max_age", "100")]).await.code();
    desk.sign_in("marie", &[("prompt", "login")]).await.code();
    desk.sign_in("marie", &[("max_age", "0"), ("prompt", "login")]).await.code();
    // A client that expects somebody gets nobody else.
    let hint = id["id_token"].as_str().unwrap();
    desk.authorize(&[("id_token_hint", hint)]).await.code();
    desk.sign_in("einstein", &[("prompt", "select_account")]).await.code();
    let other = [("id_token_hint", hint), ("prompt", "none")];
    assert_eq!(desk.authorize(&other).await.answer().get("error"), Some("login_required"));
}

#[tokio::test]
async fn refresh_tokens_turn_and_survive_restarts() {
    let mut desk = Desk::new();
    let first = desk.tokens("marie").await["refresh_token"].as_str().unwrap().to_owned();
    desk.time = 1000;
    let second = desk.refresh(&first).await.json();
    let second_token = second["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(first, second_token);
    let id = claims(second["id_token"].as_str().unwrap());
    assert_eq!((&id["auth_time"], id.get("nonce")), (&1_800_000_000.into(), None));
    let mut desk = desk.restart();
    desk.authorize(&[("prompt", "none")]).await.code();
    let third = desk.refresh(&second_token).await.json();
    let access = third["access_token"].as_str().unwrap().to_owned();
    assert_eq!(desk.userinfo(&access).await.status, 200);
    // The first one again: somebody stole it. Nothing of the family counts any more.
    let reply = desk.refresh(&second_token).await;
    assert_eq!((reply.status, &reply.json()["error"]), (400, &"invalid_grant".into()));
    let latest = third["refresh_token"].as_str().unwrap();
    assert_eq!(desk.refresh(latest).await.json()["error"], "invalid_grant");
    assert_eq!(desk.userinfo(&access).await.status, 401);
    let mut desk = desk.restart();
    assert_eq!(desk.refresh(latest).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_ends_with_its_time_its_client_and_its_person() {
    let mut desk = Desk::new();
    let token = desk.tokens("marie").await["refresh_token"].as_str().unwrap().to_owned();
    let fields =
        [("grant_type", "refresh_token"), ("client_id", "other"), ("refresh_token", &token)];
    assert_eq!(desk.post(path::TOKEN, &fields).await.json()["error"], "invalid_grant");
    let more = [
        ("scope", "openid admin"),
        ("grant_type", "refresh_token"),
        ("client_id", "web"),
        ("refresh_token", &token),
    ];
    assert_eq!(desk.post(path::TOKEN, &more).await.json()["error"], "invalid_scope");
    let second = desk.refresh(&token).await.json();
    *desk.people.disabled.lock() = true;
    let access = second["access_token"].as_str().unwrap().to_owned();
    assert_eq!(desk.userinfo(&access).await.status, 401);
    let second = second["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(desk.refresh(&second).await.json()["error"], "invalid_grant");
    *desk.people.disabled.lock() = false;
    assert_eq!(desk.refresh(&second).await.json()["error"], "invalid_grant", "ended for good");
    desk.cookies.clear();
    let third = desk.tokens("marie").await["refresh_token"].as_str().unwrap().to_owned();
    desk.time = 2_592_000;
    assert_eq!(desk.refresh(&third).await.json()["error"], "invalid_grant", "too old");
}

#[tokio::test]
async fn another_password_and_an_account_that_is_gone_end_sessions_and_grants() {
    type Change = fn(&People);
    let changes: [(&str, Change); 3] = [
        ("another password", |people| *people.password_version.lock() = "2".into()),
        ("disabled", |people| *people.disabled.lock() = true),
        ("deleted", |people| *people.deleted.lock() = true),
    ];
    for (what, change) in changes {
        let mut desk = Desk::new();
        let tokens = desk.tokens("marie").await;
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let waiting = desk.authorize(&[]).await.code();
        assert_eq!(desk.get(path::SIGN_IN).await.location(), path::WELCOME);
        change(&desk.people);
        assert_eq!(desk.userinfo(&text("access_token")).await.status, 401, "{what}");
        let refused = desk.refresh(&text("refresh_token")).await.json();
        assert_eq!(refused["error"], "invalid_grant", "{what}");
        let refused = desk.redeem(&waiting, &[]).await.json();
        assert_eq!(refused["error"], "invalid_grant", "{what}: a code that was given out");
        let silent = desk.authorize(&[("prompt", "none")]).await.answer();
        assert_eq!(silent.get("error"), Some("login_required"), "{what}");
        assert!(desk.authorize(&[]).await.location().starts_with(path::SIGN_IN), "{what}");
        assert_eq!(desk.get(path::SIGN_IN).await.status, 200, "{what}: a form, and no circle");
        let mut desk = desk.restart();
        let silent = desk.authorize(&[("prompt", "none")]).await.answer();
        assert_eq!(silent.get("error"), Some("login_required"), "{what}: after a restart");
    }
}

#[tokio::test]
async fn without_offline_access_there_is_no_refresh_token() {
    let mut desk = Desk::new();
    let code = desk.sign_in("marie", &[("scope", "openid unknown")]).await.code();
    let tokens = desk.redeem(&code, &[]).await.json();
    assert_eq!(tokens.get("refresh_token"), None);
    assert_eq!(tokens["scope"], "openid");
    let info = desk.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!((info.get("email"), info.get("name")), (None, None));
}

#[tokio::test]
async fn the_ways_an_answer_can_take() {
    let mut desk = Desk::new();
    desk.sign_in("marie", &[]).await;
    let reply = desk.authorize(&[("response_mode", "fragment")]).await;
    assert!(reply.location().starts_with(&format!("{CALLBACK}#code=")), "{}", reply.location());
    let page = desk.authorize(&[("response_mode", "form_post")]).await;
    assert!(page.text.contains(&format!("action=\"{CALLBACK}\"")));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' https://cloud.example.org"), "{policy}");
    assert_eq!(desk.redeem(&page.field("code"), &[]).await.status, 200);
    let answer = desk.authorize(&[("response_mode", "web_message")]).await.answer();
    assert_eq!(answer.get("error"), Some("invalid_request"));
}

#[tokio::test]
async fn native_clients_have_a_secret_and_any_port() {
    let mut desk = Desk::new();
    let id = "xdXOt13JKxym1B1QcEncf2XDkLAexMBFwiT9j6EfhhHFJhs2KM9jbjTmf8JBXE69";
    let fields = [
        ("client_id", id),
        ("redirect_uri", "http://127.0.0.1:41923"),
        ("prompt", "select_account consent"),
    ];
    let sent = desk.sign_in("marie", &fields).await;
    assert!(sent.location().starts_with("http://127.0.0.1:41923?code="), "{}", sent.location());
    let code = sent.code();
    let secret = "UBntmLjC2yYCeHwsyj73Uwo9TAaecAetRwMw0xYcvNL9yRdLSUi0hUAHfvCHFeFh";
    let basic = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{id}:{secret}"),
    );
    let form = params::encode([
        ("grant_type", "authorization_code"),
        ("redirect_uri", "http://127.0.0.1:41923"),
        ("code_verifier", VERIFIER),
        ("code", &code),
    ]);
    let bad = Request::post(path::TOKEN).header("authorization", "Basic eDp5");
    let refused = desk.send(bad, &form).await;
    assert_eq!((refused.status, &refused.json()["error"]), (401, &"invalid_client".into()));
    let good = Request::post(path::TOKEN).header("authorization", format!("Basic {basic}"));
    assert_eq!(desk.send(good, &form).await.status, 200);
}

#[tokio::test]
async fn others_are_asked_for_consent_once_a_session() {
    let mut desk = Desk::new();
    let fields = [("client_id", "other"), ("redirect_uri", "https://other.example/cb")];
    let sent = desk.sign_in("marie", &fields).await;
    assert!(sent.location().starts_with(path::CONSENT), "{}", sent.location());
    let page = desk.get(sent.location()).await;
    assert!(page.text.contains("An &lt;other&gt; app would like to"), "{}", page.text);
    assert!(page.text.contains("stay signed in when you are away"));
    let (token, request) = (page.field("token"), page.field("request"));
    let deny = [("token", &*token), ("request", &*request), ("answer", "deny")];
    let denied = desk.post(path::CONSENT, &deny).await;
    assert_eq!(denied.answer().get("error"), Some("access_denied"));
    let silent = [fields[0], fields[1], ("prompt", "none")];
    let refused = desk.authorize(&silent).await;
    assert_eq!(refused.answer().get("error"), Some("consent_required"));
    let forged = [("token", "x"), ("request", &*request), ("answer", "allow")];
    assert!(desk.post(path::CONSENT, &forged).await.location().starts_with(path::CONSENT));
    let allow = [("token", &*token), ("request", &*request), ("answer", "allow")];
    desk.post(path::CONSENT, &allow).await.code();
    desk.authorize(&silent).await.code();
}

#[tokio::test]
async fn signing_out_ends_the_session_and_tells_clients() {
    let mut desk = Desk::with(|options| {
        for client in &mut options.clients {
            client.backchannel_logout_uri = "http://127.0.0.1:9/logout".into();
        }
    });
    let tokens = desk.tokens("marie").await;
    let hint = tokens["id_token"].as_str().unwrap().to_owned();
    desk.time = 5000; // an expired hint is one
    let query = params::encode([
        ("id_token_hint", &*hint),
        ("post_logout_redirect_uri", "https://cloud.example.org/"),
        ("state", "bye & bye"),
    ]);
    let reply = desk.get(&format!("{}?{query}", path::END_SESSION)).await;
    assert_eq!(reply.location(), "https://cloud.example.org/?state=bye%20%26%20bye");
    assert!(!desk.cookies.contains_key("__Secure-KKT"));
    let silent = desk.authorize(&[("prompt", "none")]).await;
    assert_eq!(silent.answer().get("error"), Some("login_required"));
    let notice = desk.deliveries.next().unwrap();
    assert_eq!(notice.0, "http://127.0.0.1:9/logout");
    let told = claims(&notice.1);
    assert_eq!(told["sid"], claims(&hint)["sid"]);
    assert!(told["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object());
    assert_eq!(told.get("nonce"), None);
    assert!(desk.deliveries.next().is_none());
}

#[tokio::test]
async fn pages_that_end_their_own_sessions_are_embedded() {
    let mut desk = Desk::with(|options| {
        for client in &mut options.clients {
            client.frontchannel_logout_uri = "https://app.example/out?x=1".into();
        }
    });
    let hint = desk.tokens("marie").await["id_token"].as_str().unwrap().to_owned();
    let reply = desk.get(&format!("{}?id_token_hint={hint}", path::END_SESSION)).await;
    assert!(reply.text.contains("src=\"https://app.example/out?x=1&amp;iss="), "{}", reply.text);
    let policy = reply.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-src https://app.example;"), "{policy}");
}

#[tokio::test]
async fn the_documents_that_clients_read() {
    let mut desk = Desk::new();
    let reply = desk.get(path::DISCOVERY).await;
    assert_eq!(reply.headers["access-control-allow-origin"], "*");
    let document = reply.json();
    assert_eq!(document["issuer"], URL);
    for (field, path) in [
        ("authorization_endpoint", "/signin/v1/identifier/_/authorize"),
        ("token_endpoint", "/konnect/v1/token"),
        ("userinfo_endpoint", "/konnect/v1/userinfo"),
        ("end_session_endpoint", "/signin/v1/identifier/_/endsession"),
        ("check_session_iframe", "/konnect/v1/session/check-session.html"),
        ("jwks_uri", "/konnect/v1/jwks.json"),
    ] {
        assert_eq!(document[field], format!("{URL}{path}"));
    }
    assert_eq!(document.get("registration_endpoint"), None);
    assert_eq!(desk.post(path::REGISTER, &[]).await.status, 404);
    let keys = desk.get(path::JWKS).await.json();
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kid"], &key["kty"], &key["use"]),
        (&"private-key".into(), &"RSA".into(), &"sig".into())
    );
    assert!(key["n"].is_string() && key.get("d").is_none());
}

/// A public key that somebody else signs with.
const FOREIGN_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr1muLjy/U+dm+m5Nk+S/\n\
dsAvconYN2iYVE0B/6ayzQvQgJwMFvUCgvosS+G0o8/EMSMAgBQ2HmyaPVuB2Rrn\n\
+Thop++Cgly68g3YvIoiHEgXT9b5K8w2lhPVHTlrQPxEe/oPJdcu4mvQarkoEyqY\n\
yXk80onINfFh1EImFBgFcycsUj5gefy5hcTAuLbHMofCrbeq/XBL5SGt72ZSdPeq\n\
uV2Jx8hMD7J6WeBzAYinCDiYZQCFAAKeDKkOrZUT/HmoneLuMGlneI/X8NpZ8JWh\n\
M9F8p0/PoEw+XLbCmwZkgCIRvICcwpEHhjas2w8ZEeqxVVxKsY2iWxgMP1D3EJAN\n\
gQIDAQAB\n\
-----END PUBLIC KEY-----\n";

#[tokio::test]
async fn keys_are_made_once_and_turned_by_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut desk = Desk::new();
    let hint = desk.tokens("marie").await["id_token"].as_str().unwrap().to_owned();
    let secret = desk.folder.path().join("encryption.key");
    assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(&secret).unwrap().len(), 32);
    let old = desk.folder.path().join("private-key.pem");
    let new = desk.folder.path().join("next.pem");
    desk.options.keys.signing = vec![new.clone(), old];
    desk.options.keys.kid = "next".into();
    let others = desk.folder.path().join("others");
    std::fs::create_dir(&others).unwrap();
    std::fs::write(others.join("foreign.pem"), FOREIGN_KEY).unwrap();
    std::fs::write(others.join("readme.txt"), "no key").unwrap();
    desk.options.keys.validation = Some(others);
    let mut desk = desk.restart();
    assert_eq!(std::fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o600);
    let keys = desk.get(path::JWKS).await.json();
    let kids: Vec<&str> =
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids, ["next", "private-key", "foreign"]);
    // The first digits of the modulus, as openssl shows it.
    assert!(keys["keys"][2]["n"].as_str().unwrap().starts_with("r1muLjy_U-dm"));
    desk.authorize(&[("prompt", "none"), ("id_token_hint", &hint)]).await.code();
    std::fs::write(&secret, b"short").unwrap();
    let (options, people) = (desk.options.clone(), Arc::clone(&desk.people));
    drop(desk);
    let parts =
        IssuerParts { authenticate: people.clone(), users: people, clock: Arc::new(Stopped) };
    assert_eq!(Issuer::open(options, parts).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn clients_register_themselves_where_that_is_allowed() {
    let mut desk = Desk::with(|options| options.dynamic_clients = true);
    let document = desk.get(path::DISCOVERY).await.json();
    assert_eq!(document["registration_endpoint"], format!("{URL}/konnect/v1/register"));
    let register = |body: &str| (Request::post(path::REGISTER), body.to_owned());
    for bad in [
        "{}",
        r#"{"redirect_uris":["http://a.example/cb"]}"#,
        r#"{"redirect_uris":["javascript://a/%0aalert(1)"],"application_type":"native"}"#,
        r#"{"redirect_uris":["https://a.example/cb#x"]}"#,
        r#"{"redirect_uris":["https://a.example/cb"],"response_types":["token"]}"#,
    ] {
        let (request, body) = register(bad);
        assert_eq!(desk.send(request, &body).await.status, 400, "{bad}");
    }
    let (request, body) =
        register(r#"{"redirect_uris":["https://a.example/cb"],"client_name":"A"}"#);
    let reply = desk.send(request, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let client = reply.json();
    let id = client["client_id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("dyn."));
    let fields = [("client_id", &*id), ("redirect_uri", "https://a.example/cb")];
    let sent = desk.sign_in("marie", &fields).await;
    assert!(sent.location().starts_with(path::CONSENT));
    let page = desk.get(sent.location()).await;
    let (token, request) = (page.field("token"), page.field("request"));
    let allow = [("token", &*token), ("request", &*request), ("answer", "allow")];
    let code = desk.post(path::CONSENT, &allow).await.code();
    let secret = client["client_secret"].as_str().unwrap();
    let more = [fields[0], fields[1], ("client_secret", "wrong")];
    assert_eq!(desk.redeem(&code, &more).await.json()["error"], "invalid_client");
    let more = [fields[0], fields[1], ("client_secret", secret)];
    assert_eq!(desk.redeem(&code, &more).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_of_a_real_ocis_counts_once() {
    let mut desk = Desk::new();
    let token = |change: &[(&str, Value)]| {
        let mut claims = serde_json::json!({
            "iss": URL, "aud": "web", "sub": "x@libregraph", "jti": "abc",
            "iat": at(-100).unix_seconds(), "exp": at(1000).unix_seconds(),
            "lg.t": "2", "lg.r": "ref", "lg.p": "identifier-ldap", "scp": "openid profile offline_access",
            "lg.i": { "dn": "Marie", "un": "marie", "id": "ownCloudUUID=4c510ada-c86b-4815-8820-42cdf82c3d51" },
        });
        for (name, value) in change {
            claims[*name] = value.clone();
        }
        desk.issuer.0.keys.sign(&claims).unwrap()
    };
    let wrong = [
        token(&[("lg.t", "1".into())]),
        token(&[("iss", "https://other.example".into())]),
        token(&[("aud", "other".into())]),
        token(&[("exp", at(-1).unix_seconds().into())]),
        token(&[(
            "lg.i",
            serde_json::json!({ "id": "ownCloudUUID=9181deb3-c90b-4ea4-b1f0-aab7043e920e" }),
        )]),
    ];
    let right = token(&[("aud", serde_json::json!(["web"]))]);
    for wrong in wrong {
        assert_eq!(desk.refresh(&wrong).await.json()["error"], "invalid_grant");
    }
    *desk.people.disabled.lock() = true;
    assert_eq!(desk.refresh(&right).await.json()["error"], "invalid_grant");
    *desk.people.disabled.lock() = false;
    let tokens = desk.refresh(&right).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(desk.userinfo(access).await.json()["preferred_username"], "marie");
    let next = desk.refresh(tokens["refresh_token"].as_str().unwrap()).await.json();
    let mut desk = desk.restart();
    assert_eq!(desk.refresh(&right).await.json()["error"], "invalid_grant");
    let latest = next["refresh_token"].as_str().unwrap();
    assert_eq!(desk.refresh(latest).await.json()["error"], "invalid_grant", "both may be stolen");
}
