//! Commands, exit codes, and where output goes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Home, SERVICES, finish, text};

#[test]
fn help_lists_commands_and_services_and_succeeds() {
    let home = Home::new();
    for args in [&[][..], &["help"], &["--help"], &["-h"]] {
        let output = home.run(args);
        assert!(output.status.success(), "{args:?}");
        let help = text(&output.stdout);
        for name in ["init", "server", "list", "version"].into_iter().chain(SERVICES) {
            assert!(help.contains(&format!(" {name} ")), "{name}");
        }
    }
    for args in [&["search", "--help"][..], &["search"], &["help", "search"]] {
        let output = home.run(args);
        assert!(output.status.success(), "{args:?}");
        let help = text(&output.stdout);
        assert!(help.contains("not part of this version yet"), "{help}");
        assert!(help.contains("SEARCH_DEBUG_ADDR"), "{help}");
    }
}

#[test]
fn what_is_not_there_fails_on_stderr() {
    let home = Home::new();
    for args in [&["benchmark"][..], &["server", "--no-such-flag"], &["search", "index"]] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
    let list = home.run(&["list"]);
    assert_eq!(list.status.code(), Some(1));
    assert!(text(&list.stderr).contains("no runtime answers on localhost:"));
}

#[test]
fn version_with_and_without_services() {
    let home = Home::new();
    let output = text(&home.run(&["version"]).stdout);
    let lines: Vec<_> = output.lines().collect();
    assert!(lines[0].starts_with("Version: ") && lines[1].starts_with("Compiled: "), "{output}");
    assert_eq!(lines[2..], ["", "No running services found."]);
    let output = text(&home.run(&["version", "--skip-services"]).stdout);
    assert_eq!(output.lines().count(), 2);
    let output = text(&home.run(&["proxy", "version"]).stdout);
    assert!(output.ends_with("\n\nNo running proxy service found.\n"), "{output}");
    let server = home.serve(&[]);
    let output = text(&home.ask(server.port(), &["version"]).stdout);
    assert!(output.contains("| Version |") && output.contains("| storage-users "), "{output}");
}

#[test]
fn init_asks_on_stderr_and_prints_the_banner() {
    let home = Home::new();
    let output = finish(&mut home.ocis(&["init"]), "Yes\n");
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("certificate checking disabled"));
    let banner = text(&output.stdout);
    assert!(banner.contains(&format!(" configpath : {}\n", home.config_file().display())));
    assert!(
        banner.contains(" user       : admin\n") && banner.contains(" password   : "),
        "{banner}"
    );
    assert!(fs::read_to_string(home.config_file()).unwrap().contains("insecure: true"));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.config_file()), 0o600);
    assert_eq!(mode(home.config_file().parent().unwrap()), 0o700);
}

#[test]
fn init_overwrites_only_when_told_to() {
    let home = Home::new();
    let init =
        |args: &[&str]| home.run(&[&["init", "--insecure", "no", "--ap", "one"], args].concat());
    assert!(init(&[]).status.success());
    let first = fs::read_to_string(home.config_file()).unwrap();
    assert!(first.contains("admin_password: one") && first.contains("insecure: false"));
    let output = init(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("config file already exists"));
    assert!(init(&["-f"]).status.success());
    let files = fs::read_dir(home.config_file().parent().unwrap()).unwrap();
    let names: Vec<_> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.starts_with("ocis.yaml.") && name.ends_with(".backup")));
    for flags in [&["-d", "-f"][..], &["-d"]] {
        let output = init(flags);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("mutually exclusive"));
    }
}

#[test]
fn the_path_of_init_comes_from_flag_then_variables() {
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    let variables = [("OCIS_CONFIG_DIR", at("a")), ("OCIS_BASE_DATA_PATH", at("b"))];
    let mut with_both = home.ocis(&["init", "--insecure", "no"]);
    assert!(finish(with_both.envs(variables.clone()), "").status.success());
    assert!(at("a/ocis.yaml").exists());
    let mut with_data = home.ocis(&["init", "--insecure", "no"]);
    assert!(finish(with_data.env("OCIS_BASE_DATA_PATH", at("b")), "").status.success());
    assert!(at("b/ocis.yaml").exists());
    let flag = at("c");
    let mut with_flag =
        home.ocis(&["init", "--insecure", "no", "--config-path", flag.to_str().unwrap()]);
    assert!(finish(with_flag.envs(variables), "").status.success());
    assert!(at("c/ocis.yaml").exists());
}
