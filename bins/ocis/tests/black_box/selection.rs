//! Which services run.

use crate::harness::{Home, SERVICES, Server, finish, free_port, services, text};

fn table(names: &[&str]) -> String {
    let width = names.iter().map(|name| name.len()).max().unwrap().max(7);
    let border = format!("+{}+\n", "-".repeat(width + 2));
    let rows: String = names.iter().map(|name| format!("| {name:<width$} |\n")).collect();
    format!("{border}| {:^width$} |\n{border}{rows}{border}\n", "SERVICE")
}

#[test]
fn all_34_by_default_and_listed_as_in_the_document() {
    let home = Home::new();
    let _server = home.serve(&[]);
    let list = home.run(&["list"]);
    assert!(list.status.success());
    assert_eq!(text(&list.stdout), table(&SERVICES));
    let port = home.port.to_string();
    let other = Home::new();
    let list = other.run(&["list", "--hostname", "127.0.0.1", "--port", &port]);
    assert_eq!(text(&list.stdout), table(&SERVICES));
}

#[test]
fn a_second_runtime_runs_what_the_first_leaves_out() {
    let home = Home::new();
    let _first = home.serve(&[("OCIS_EXCLUDE_RUN_SERVICES", "search")]);
    let port = free_port().to_string();
    let second = [("OCIS_RUN_SERVICES", "search"), ("OCIS_RUNTIME_PORT", port.as_str())];
    let mut command = home.ocis(&["server"]);
    let _second = Server::started(command.envs(second));
    let rest: Vec<_> = SERVICES.into_iter().filter(|name| *name != "search").collect();
    assert_eq!(text(&home.run(&["list"]).stdout), table(&rest));
    let list = || finish(home.ocis(&["list"]).env("OCIS_RUNTIME_PORT", &port), "");
    let mut listed = list();
    while !listed.status.success() {
        listed = list();
    }
    assert_eq!(text(&listed.stdout), table(&["search"]));
}

#[tokio::test]
async fn services_can_be_added_and_excluded() {
    let home = Home::new();
    let _server = home.serve(&[
        ("OCIS_ADD_RUN_SERVICES", "web"),
        ("OCIS_EXCLUDE_RUN_SERVICES", "web,nats,notifications"),
    ]);
    let names: Vec<_> = services(home.port).await.iter().map(|s| s["name"].clone()).collect();
    assert_eq!(names.len(), 31);
    assert!(!names.iter().any(|name| name == "web"));
}

#[test]
fn a_service_that_nobody_knows_is_refused() {
    let home = Home::new();
    assert!(home.run(&["init", "--insecure", "no"]).status.success());
    let output = finish(home.ocis(&["server"]).env("OCIS_RUN_SERVICES", "serch"), "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the nearest is search"), "{}", text(&output.stderr));
}

#[test]
fn a_service_alone_refuses_when_it_needs_another_and_runs_when_it_does_not() {
    let home = Home::new();
    assert!(home.run(&["init", "--insecure", "no"]).status.success());
    let output = home.run(&["ocdav", "server"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.starts_with("ocdav needs \"nodes\", which gateway offers"), "{error}");
    assert_eq!(error.lines().count(), 1);

    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut command = home.ocis(&["search", "server"]);
    let server = Server::started(command.env("SEARCH_DEBUG_ADDR", &address));
    let health = || finish(home.ocis(&["search", "health"]).env("SEARCH_DEBUG_ADDR", &address), "");
    while !health().status.success() {
        std::thread::yield_now();
    }
    assert_eq!(home.run(&["list"]).status.code(), Some(1), "it is in no runtime");
    server.stop();
    let health = health();
    assert_eq!(health.status.code(), Some(1));
    assert!(text(&health.stderr).contains("search is not healthy"));
}
