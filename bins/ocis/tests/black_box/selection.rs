//! Which services run.

use crate::harness::{Home, SERVICES, Server, finish, text};

fn table(names: &[&str]) -> String {
    let width = names.iter().map(|name| name.len()).max().unwrap().max(7);
    let border = format!("+{}+\n", "-".repeat(width + 2));
    let rows: String = names.iter().map(|name| format!("| {name:<width$} |\n")).collect();
    format!("{border}| {:^width$} |\n{border}{rows}{border}\n", "SERVICE")
}

#[test]
fn all_34_by_default_and_listed_as_in_the_document() {
    let home = Home::new();
    let server = home.serve(&[]);
    let list = home.ask(server.port(), &["list"]);
    assert!(list.status.success());
    assert_eq!(text(&list.stdout), table(&SERVICES));
    let port = server.port().to_string();
    let list = Home::new().run(&["list", "--hostname", "127.0.0.1", "--port", &port]);
    assert_eq!(text(&list.stdout), table(&SERVICES));
}

#[test]
fn a_second_runtime_runs_what_the_first_leaves_out() {
    let home = Home::new();
    let first = home.serve(&[("OCIS_EXCLUDE_RUN_SERVICES", "search")]);
    let second = home.serve(&[("OCIS_RUN_SERVICES", "search")]);
    let rest: Vec<_> = SERVICES.into_iter().filter(|name| *name != "search").collect();
    assert_eq!(text(&home.ask(first.port(), &["list"]).stdout), table(&rest));
    assert_eq!(text(&home.ask(second.port(), &["list"]).stdout), table(&["search"]));
}

#[tokio::test]
async fn services_can_be_added_and_excluded() {
    let home = Home::new();
    let server = home.serve(&[
        ("OCIS_ADD_RUN_SERVICES", "web"),
        ("OCIS_EXCLUDE_RUN_SERVICES", "web,nats,notifications"),
    ]);
    let names: Vec<_> = server.services().await.iter().map(|s| s["name"].clone()).collect();
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

    let server = Server::ready(&mut home.ocis(&["search", "server"]));
    let address = server.debug("search").to_string();
    let health = || finish(home.ocis(&["search", "health"]).env("SEARCH_DEBUG_ADDR", &address), "");
    assert!(health().status.success());
    server.stop();
    let health = health();
    assert_eq!(health.status.code(), Some(1));
    assert!(text(&health.stderr).contains("search is not healthy"));
}
