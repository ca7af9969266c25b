//! What pages are made of.

use super::*;

#[tokio::test]
async fn pages_are_safe_plain_and_in_the_language_of_the_person() {
    let mut desk = Desk::new();
    let target = format!("{}?{}", path::SIGN_IN, request(&[("login_hint", "\"><b>x")]));
    let page =
        desk.send(Request::get(&target).header("accept-language", "de-DE,en;q=0.5"), "").await;
    assert!(page.text.contains("<html lang=\"de\">"));
    assert!(page.text.contains("<label for=\"password\">Passwort</label>"));
    assert!(page.text.contains("autocomplete=\"current-password\""));
    assert!(
        !page.text.contains("<b>x")
            && !page.text.contains("<script")
            && !page.text.contains("style=\"")
    );
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
    assert!(!policy.contains("unsafe"));
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Secure-KKTF=") && cookie.contains("; Secure; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let english = desk.get(&format!("{target}&ui_locales=fr%20en")).await;
    assert!(english.text.contains("<html lang=\"en\">"));
    let style = desk.get(path::STYLE).await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert_eq!(desk.get("/signin/v1/nothing").await.status, 404);
}

#[tokio::test]
async fn somebody_who_comes_without_a_client_is_welcomed() {
    let mut desk =
        Desk::with(|options| options.password_reset = Some("https://reset.example/".into()));
    assert_eq!(desk.get(path::WELCOME).await.location(), path::SIGN_IN);
    let page = desk.get(path::SIGN_IN).await;
    assert!(page.text.contains("href=\"https://reset.example/\""));
    let reply = desk.fill_in(&page, "marie", "eiram").await;
    assert_eq!(reply.location(), path::WELCOME);
    let session = reply.headers.get_all(SET_COOKIE).iter().next().unwrap().to_str().unwrap();
    assert!(session.starts_with("__Secure-KKT=") && session.contains("; HttpOnly"), "{session}");
    let welcome = desk.get(path::WELCOME).await;
    assert!(welcome.text.contains("Hello MARIE."));
    let token = welcome.field("token");
    assert_eq!(desk.post(path::END_SESSION, &[("token", &token)]).await.location(), path::GOODBYE);
    assert!(desk.get(path::GOODBYE).await.text.contains("You are signed out"));
}

#[tokio::test]
async fn the_page_that_watches_a_session_may_be_embedded() {
    let mut desk = Desk::new();
    let page = desk.get(path::CHECK_SESSION).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors *") && policy.contains("script-src 'self'"));
    let script = desk.get(path::CHECK_SESSION_SCRIPT).await;
    assert!(script.text.contains("__Secure-KKBS"));
    let sent = desk.sign_in("marie", &[]).await;
    let state = sent.answer().get("session_state").unwrap().to_owned();
    let (_, salt) = state.split_once('.').unwrap();
    let text = format!("web {URL} {} {salt}", desk.cookies["__Secure-KKBS"]);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let hash = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest);
    assert_eq!(state, format!("{hash}.{salt}"));
}
