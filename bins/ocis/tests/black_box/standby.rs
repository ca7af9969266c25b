//! A storage that waits for the one that another process owns.

use std::process::Command;

use crate::harness::{Home, PATIENCE, Server, finish, text};

fn storage(home: &Home, variables: &[(&str, &str)]) -> Command {
    let mut command = home.ocis(&["storage-users", "server"]);
    command.envs(variables.iter().copied());
    command
}

async fn is_ready(server: &Server) -> bool {
    let url = format!("http://{}/readyz", server.debug("storage-users"));
    reqwest::get(url).await.unwrap().status().is_success()
}

#[tokio::test]
async fn the_second_storage_waits_and_takes_over() {
    let home = Home::new();
    assert!(home.run(&["init", "--insecure", "no"]).status.success());
    let first = Server::ready(&mut storage(&home, &[]));
    assert!(is_ready(&first).await);
    let refused = finish(&mut storage(&home, &[]), "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("is owned by another process"));

    let standby = [("STORAGE_USERS_STANDBY", "true")];
    let second = Server::ready(&mut storage(&home, &standby));
    assert!(!is_ready(&second).await);
    let third = Server::ready(&mut storage(&home, &standby));
    third.stop();
    first.signal("KILL");
    first.end(PATIENCE);
    let since = std::time::Instant::now();
    while !is_ready(&second).await {
        assert!(since.elapsed() < PATIENCE, "it does not take over");
        tokio::task::yield_now().await;
    }
    second.stop();
}
