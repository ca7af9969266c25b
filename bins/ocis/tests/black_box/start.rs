//! Starting: with nothing, again, and when something is in the way.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Home, SERVICES, Server, finish, text};

fn line_after<'a>(printed: &'a str, label: &str) -> &'a str {
    let line = printed.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
    line.split_once(':').unwrap().1.trim()
}

#[tokio::test]
async fn the_first_start_makes_a_configuration_and_shows_the_password_once() {
    let home = Home::new();
    let server = home.serve(&[]);
    let password = line_after(&server.printed, "password").split(' ').next().unwrap().to_owned();
    assert_eq!(password.len(), 32);
    assert_eq!(line_after(&server.printed, "URL"), "https://localhost:9200");
    assert_eq!(line_after(&server.printed, "user"), "admin");
    let file = home.config_file();
    assert_eq!(line_after(&server.printed, "configuration"), file.to_str().unwrap());
    assert!(server.printed.contains("basic auth enabled, use only for testing or development"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    assert_eq!(me(&server, &password).await, 200);
    assert_eq!(me(&server, "wrong").await, 401);
    server.stop();

    let again = home.serve(&[]);
    assert!(!again.printed.contains("password"), "{}", again.printed);
    assert_eq!(me(&again, &password).await, 200);
}

async fn me(server: &Server, password: &str) -> u16 {
    let me = server.request("GET", "/graph/v1.0/me", password).await;
    me.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn every_service_can_be_observed() {
    let home = Home::new();
    let server = home.serve(&[]);
    assert_eq!(server.services().await.len(), 34);
    for name in SERVICES {
        let address = server.debug(name);
        for (path, status) in [("healthz", 200), ("readyz", 200), ("metrics", 200), ("config", 404)]
        {
            let answer = reqwest::get(format!("http://{address}/{path}")).await.unwrap();
            assert_eq!(answer.status(), status, "{name}/{path}");
        }
    }
    let mut health = home.ocis(&["proxy", "health"]);
    let health = finish(
        health
            .env("PROXY_DEBUG_ADDR", server.debug("proxy").to_string())
            .env_remove("OCIS_LOG_LEVEL"),
        "",
    );
    assert!(health.status.success());
    assert_eq!((text(&health.stdout), text(&health.stderr)), (String::new(), String::new()));
}

#[tokio::test]
async fn what_comes_later_answers_501() {
    let home = Home::new();
    let server = home.serve(&[("IDM_ADMIN_PASSWORD", "secret")]);
    for path in ["/", "/.well-known/webfinger", "/.well-known/ocm"] {
        let answer = server.request("GET", path, "secret").await;
        assert_eq!(answer.send().await.unwrap().status(), 501, "{path}");
    }
}

/// The error of a start that fails, which must be one line.
fn refusal(home: &Home, variables: &[(&str, &str)]) -> String {
    let mut command = home.ocis(&["server"]);
    let command = command.env("OCIS_LOG_LEVEL", "error").envs(variables.iter().copied());
    let output = finish(command, "");
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn an_occupied_port_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = taken.local_addr().unwrap().port().to_string();
    let home = Home::new();
    for (variable, value, owner) in [
        ("PROXY_HTTP_ADDR", &address, "proxy"),
        ("GRAPH_DEBUG_ADDR", &address, "graph"),
        ("OCIS_RUNTIME_PORT", &port, "the runtime"),
    ] {
        let error = refusal(&home, &[(variable, value)]);
        assert!(error.starts_with(&format!("{owner} cannot start: ")), "{error}");
        assert!(error.contains(variable) && error.contains("already in use"), "{error}");
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_one_clear_line() {
    let home = Home::new();
    assert!(home.run(&["init", "--insecure", "no"]).status.success());
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("data");
    let error = refusal(&home, &[("OCIS_BASE_DATA_PATH", below.to_str().unwrap())]);
    assert!(error.contains("cannot start") && error.contains(below.to_str().unwrap()), "{error}");
}

#[test]
fn a_store_of_another_process_is_one_clear_line() {
    let home = Home::new();
    let _server = home.serve(&[]);
    let error = refusal(&home, &[]);
    assert!(error.contains("cannot start"), "{error}");
}

#[test]
fn a_partial_configuration_says_what_is_missing() {
    let home = Home::new();
    let output =
        finish(home.ocis(&["server"]).env("OCIS_JWT_SECRET", "only-this").env("OCIS_URL", ""), "");
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    for name in ["OCIS_TRANSFER_SECRET", "STORAGE_USERS_MOUNT_ID", "`ocis init`"] {
        assert!(error.contains(name), "{name} in {error}");
    }
    assert!(!error.contains("OCIS_JWT_SECRET"), "{error}");
    assert!(!home.config_file().exists());
}

#[test]
fn data_without_its_configuration_is_not_made_foreign() {
    let home = Home::new();
    home.serve(&[]).stop();
    fs::remove_file(home.config_file()).unwrap();
    let error = refusal(&home, &[]);
    assert!(error.contains("bring back the ocis.yaml"), "{error}");
    assert!(!home.config_file().exists());
}
