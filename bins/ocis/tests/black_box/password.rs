//! `ocis idm resetpassword`.

use std::fs;

use crate::harness::{Home, finish, text};

#[tokio::test]
async fn a_new_password_for_who_lost_theirs() {
    let home = Home::new();
    let variables = [("IDM_ADMIN_PASSWORD", "first"), ("PROXY_ENABLE_BASIC_AUTH", "true")];
    let reset = |input: &str| finish(&mut home.ocis(&["idm", "resetpassword"]), input);
    assert!(home.run(&["init", "--insecure", "no", "--ap", "first"]).status.success());
    let before = fs::read(home.config_file()).unwrap();

    let server = home.serve(&variables);
    let output = reset("second\nsecond\n");
    assert_eq!(output.status.code(), Some(1), "refused while idm runs");
    assert!(!output.stderr.is_empty() && !text(&output.stdout).contains("updated"));
    server.stop();

    let output = reset("second\nthird\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("do not match"));
    let output = reset("second\nsecond\n");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let name = "uid=admin,ou=users,o=libregraph-idm";
    let printed = text(&output.stdout);
    assert!(printed.starts_with(&format!("Resetting password for user '{name}'.\n")), "{printed}");
    assert!(printed.ends_with(&format!("Password for user '{name}' updated.\n")), "{printed}");
    assert_eq!(fs::read(home.config_file()).unwrap(), before);

    let server = home.serve(&variables);
    for (password, status) in [("second", 200), ("first", 401)] {
        let me = server.request("GET", "/graph/v1.0/me", password).await;
        assert_eq!(me.send().await.unwrap().status(), status, "{password}");
    }
}
