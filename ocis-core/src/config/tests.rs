//! Tests of the layers as a whole: what wins, what replaces what, and what is said.

#![allow(dead_code, reason = "the fields of a table are not all looked at")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::source::Memory;
use super::*;

crate::settings! {
    /// What all share.
    struct Global("global", key "") {
        /// The URL.
        url: WebUrl = "https://localhost:9200", "ocis_url", ["OCIS_URL"];
        /// The level.
        log_level: LogLevel = "error", "log.level", ["OCIS_LOG_LEVEL"];
        /// Pretty lines.
        log_pretty: bool = "false", "log.pretty", ["OCIS_LOG_PRETTY"];
        /// Colours.
        log_color: bool = "false", "log.color", ["OCIS_LOG_COLOR"];
        /// The file.
        log_file: String = "", "log.file", ["OCIS_LOG_FILE"];
        /// The secret.
        jwt_secret: Secret = "", "token_manager.jwt_secret", ["OCIS_JWT_SECRET"];
    }
}

crate::settings! {
    /// A service whose topic is not its name.
    struct Links("storage-publiclink", key "storage_public", prefix "STORAGE_PUBLICLINK", debug "127.0.0.1:9179") {
        /// Where it listens.
        addr: Address = "127.0.0.1:9178", "http.addr", ["OCIS_ADDR", "STORAGE_PUBLICLINK_ADDR"];
        /// A path.
        root: PathBuf = "$OCIS_BASE_DATA_PATH/links", "drivers.root", ["STORAGE_PUBLICLINK_ROOT"];
        /// A text.
        name: String = "links", "name", ["OCIS_NAME", "STORAGE_PUBLICLINK_NAME"];
        /// A list that only YAML can set.
        types: Vec<String> = "a,b", "types", [];
        /// Sizes by name.
        sizes: BTreeMap<String, ByteSize> = "", "sizes", [];
        /// Falls back to the global value.
        url: WebUrl = "https://localhost:9200", "url", ["OCIS_URL", "STORAGE_PUBLICLINK_URL"];
        /// Needed.
        jwt_secret: Secret = "", "token_manager.jwt_secret",
            ["OCIS_JWT_SECRET", "STORAGE_PUBLICLINK_JWT_SECRET"];
        /// A secret that can be wrong.
        pin: Pin = "", "pin", ["STORAGE_PUBLICLINK_PIN"];
        /// A number.
        count: u64 = "5", "count", ["STORAGE_PUBLICLINK_COUNT"];
    }
}

#[derive(Debug, Clone, Default)]
struct Pin;

impl Value for Pin {
    const KIND: &'static str = "pin";
    const SECRET: bool = true;
    fn parse(_: &str) -> Result<Self, String> {
        Err(" is wrong; right would be a pin".to_owned())
    }
}

const SERVICE: &str = "storage-publiclink";

fn layers(source: &Memory) -> Layers {
    Layers::read(source, &Global::TABLE, &[SERVICE])
}

fn load(source: &Memory) -> Links {
    Links::load(&layers(source)).unwrap()
}

/// Everything that is wrong with the file and the service.
fn wrong(source: &Memory) -> String {
    let layers = layers(source);
    let mut problems = layers.problems().clone();
    problems.extend(Links::read(&layers).1);
    problems.to_string()
}

#[test]
fn each_layer_covers_the_one_below() {
    let mut source = Memory::new();
    let mut addr = |name: &str, step: fn(Memory) -> Memory| {
        source = step(std::mem::take(&mut source));
        assert_eq!(load(&source).addr.as_str(), name);
    };
    addr("127.0.0.1:9178", |source| source);
    addr("a:1", |source| source.yaml("ocis.yaml", "storage_public: {http: {addr: 'a:1'}}"));
    addr("b:2", |source| source.yaml("storage-publiclink.yaml", "http: {addr: 'b:2'}"));
    addr("c:3", |source| source.var("OCIS_ADDR", "c:3"));
    addr("d:4", |source| source.var("STORAGE_PUBLICLINK_ADDR", "d:4"));
}

#[test]
fn topic_and_file_have_the_names_of_ocis() {
    let other = Memory::new()
        .yaml("ocis.yaml", "storage_publiclink: {name: x}\nname: y\n")
        .yaml("storage_public.yaml", "name: z");
    assert_eq!(load(&other).name, "links");
    let layers = layers(&other);
    assert_eq!(layers.files().collect::<Vec<_>>(), ["/etc/ocis/ocis.yaml"]);
}

#[test]
fn files_come_from_the_configuration_directory() {
    let read = |source: &Memory| {
        let layers = layers(&source.clone().yaml("ocis.yaml", "{}"));
        (layers.files().next().unwrap().to_owned(), Links::load(&layers).unwrap().root)
    };
    let at = |file: &str, root: &str| (file.to_owned(), PathBuf::from(root));
    assert_eq!(read(&Memory::new()), at("/etc/ocis/ocis.yaml", "/var/lib/ocis/links"));
    let home = Memory::new().at_home("/home/ada");
    assert_eq!(read(&home), at("/home/ada/.ocis/config/ocis.yaml", "/home/ada/.ocis/links"));
    let set = home.var("OCIS_CONFIG_DIR", "/c").var("OCIS_BASE_DATA_PATH", "/d");
    assert_eq!(read(&set), at("/c/ocis.yaml", "/d/links"));
    let root = set.var("STORAGE_PUBLICLINK_ROOT", "~/r");
    assert_eq!(read(&root).1, PathBuf::from("~/r"), "a tilde is not expanded");
}

#[test]
fn the_last_variable_that_is_set_decides() {
    let earlier = Memory::new().var("OCIS_NAME", "global");
    assert_eq!(load(&earlier).name, "global");
    assert_eq!(load(&earlier.var("STORAGE_PUBLICLINK_NAME", "")).name, "", "even if it is empty");
}

#[test]
fn an_empty_variable_is_no_number() {
    let source = Memory::new()
        .yaml("ocis.yaml", "storage_public: {count: 7, http: {addr: 'a:1'}}")
        .var("STORAGE_PUBLICLINK_COUNT", "")
        .var("OCIS_ADDR", "b:2")
        .var("STORAGE_PUBLICLINK_ADDR", "");
    let links = load(&source);
    assert_eq!((links.count, links.addr.as_str()), (7, "a:1"));
}

#[test]
fn settings_fall_back_to_the_global_ones() {
    let global = Memory::new()
        .yaml("ocis.yaml", "ocis_url: https://a.example\ntoken_manager: {jwt_secret: $P@h}\n");
    assert_eq!(load(&global).url.as_str(), "https://a.example");
    assert_eq!(load(&global).jwt_secret.expose(), "$P@h");
    let own = global.yaml(
        "ocis.yaml",
        "ocis_url: https://a.example\nstorage_public: {url: 'https://b.example'}\n",
    );
    assert_eq!(load(&own).url.as_str(), "https://b.example");
    assert_eq!(load(&own.var("OCIS_URL", "https://c.example")).url.as_str(), "https://c.example");
}

#[test]
fn variables_in_yaml() {
    let source = Memory::new()
        .var("SOME_HTTP_ADDR", "0.0.0.0:1")
        .var("OCIS_MINE", "mine")
        .yaml(
            "ocis.yaml",
            "storage_public:\n  http:\n    addr: ${SOME_HTTP_ADDR}\n  count: ${COUNT|8}\n  name: a-${OCIS_MINE}-${NOBODY}\n  types: ['${OCIS_MINE}', c]\n",
        );
    let links = load(&source);
    assert_eq!((links.addr.as_str(), links.count, &*links.name), ("0.0.0.0:1", 8, "a-mine-"));
    assert_eq!(links.types, ["mine", "c"]);
    let layers = layers(&source);
    let warnings: Vec<_> = layers.warnings().iter().map(Warning::to_string).collect();
    assert_eq!(
        warnings,
        ["/etc/ocis/ocis.yaml: ${NOBODY} is not set and has no default: it is taken as empty"]
    );
    let names = check::names(&layers, &[&Global::TABLE, &Links::TABLE], &[]);
    assert!(!names.iter().any(|warning| warning.to_string().contains("OCIS_MINE")), "it is used");
}

#[test]
fn yaml_only_settings() {
    let source = Memory::new().yaml("storage-publiclink.yaml", "types:\n- x/y\n- z\n");
    assert_eq!(load(&source).types, ["x/y", "z"]);
    let sizes = Memory::new().yaml("storage-publiclink.yaml", "sizes: {a: 0x10, b: '7'}");
    let expected = [("a", 16), ("b", 7)].map(|(name, size)| (name.to_owned(), ByteSize(size)));
    assert_eq!(load(&sizes).sizes, BTreeMap::from(expected));
    let many = Memory::new().yaml("ocis.yaml", "storage_public:\n  sizes: {a: many}");
    assert_eq!(
        wrong(&many),
        "/etc/ocis/ocis.yaml:2:3: storage_public.sizes: a is \"many\"; right would be a whole number of bytes such as 1000000000"
    );
    assert_eq!(load(&Memory::new()).types, ["a", "b"]);
    assert!(
        reference::help_text(&Links::TABLE, &Global::TABLE).contains("(YAML only)\n      types")
    );
}

#[test]
fn an_own_log_block_replaces_the_global_one() {
    let global = Memory::new()
        .yaml("ocis.yaml", "log: {level: warning, color: true, file: /var/log/ocis.log}\n");
    let log = Log {
        level: LogLevel::Warn,
        color: true,
        pretty: false,
        file: "/var/log/ocis.log".to_owned(),
    };
    assert_eq!(load(&global).log, log);
    let own = Log { level: LogLevel::Debug, ..Log::default() };
    let topic = global.clone().yaml(
        "ocis.yaml",
        "log: {level: warning, color: true, file: x}\nstorage_public: {log: {level: debug}}\n",
    );
    assert_eq!(load(&topic).log, own, "nothing of the global block is left");
    let file = global.yaml("storage-publiclink.yaml", "log: {level: debug}");
    assert_eq!(load(&file).log, own);
    let env = file.var("OCIS_LOG_LEVEL", "trace");
    assert_eq!(load(&env).log.level, LogLevel::Trace, "variables cover it all the same");
    let env = env.var("STORAGE_PUBLICLINK_LOG_LEVEL", "PANIC");
    assert_eq!(load(&env).log.level, LogLevel::Panic);
}

#[test]
fn a_log_file_is_not_pretty() {
    let source = Memory::new()
        .yaml("ocis.yaml", "log:\n  pretty: true\n")
        .var("STORAGE_PUBLICLINK_LOG_FILE", "/tmp/l");
    assert_eq!(
        wrong(&source),
        "/etc/ocis/ocis.yaml:2:3: log.pretty is true and STORAGE_PUBLICLINK_LOG_FILE is \"/tmp/l\": a log file must not be pretty; right would be one of the two"
    );
    load(&source.var("OCIS_LOG_PRETTY", "false"));
}

#[test]
fn mistakes_name_place_value_and_what_is_right() {
    for (yaml, sentence) in [
        (
            "storage_public: 5",
            "/etc/ocis/ocis.yaml:1:1: storage_public must be a mapping: keys below it, each with its value",
        ),
        (
            "storage_public:\n  count: many",
            "/etc/ocis/ocis.yaml:2:3: storage_public.count is \"many\"; right would be a whole number from 0 to 18446744073709551615",
        ),
        (
            "storage_public:\n  count: 1.5",
            "/etc/ocis/ocis.yaml:2:3: storage_public.count is \"1.5\"; right would be a whole number",
        ),
        (
            "storage_public:\n  count: [1]",
            "/etc/ocis/ocis.yaml:2:3: storage_public.count is a list; right would be: number",
        ),
        (
            "storage_public:\n  name:\n    x: 1",
            "/etc/ocis/ocis.yaml:2:3: storage_public.name is not one value; right would be: text",
        ),
        (
            "storage_public:\n  types: {x: 1}",
            "/etc/ocis/ocis.yaml:2:3: storage_public.types is not one value; right would be: list",
        ),
        (
            "log:\n  level: loud",
            "/etc/ocis/ocis.yaml:2:3: log.level is \"loud\"; right would be panic, fatal",
        ),
        ("log: loud", "/etc/ocis/ocis.yaml:1:1: log must be a mapping"),
        (
            "a: 1\na: 2",
            "/etc/ocis/ocis.yaml:2:1: this key is there twice; right would be each key once",
        ),
        ("a: 'x", "/etc/ocis/ocis.yaml:"),
    ] {
        let shown = wrong(&Memory::new().yaml("ocis.yaml", yaml));
        assert!(shown.starts_with(sentence), "{yaml}: {shown}");
        assert!(!shown.contains('\n'), "said once: {shown}");
    }
    let variable = Memory::new().var("STORAGE_PUBLICLINK_ADDR", "9200");
    assert!(
        wrong(&variable)
            .starts_with("STORAGE_PUBLICLINK_ADDR is \"9200\"; right would be host:port")
    );
    let secret =
        wrong(&Memory::new().yaml("ocis.yaml", "token_manager: {jwt_secret: {geheim: 1}}"));
    assert!(!secret.contains("geheim"), "{secret}");
    let pin = wrong(&Memory::new().var("STORAGE_PUBLICLINK_PIN", "4711"));
    assert_eq!(
        pin, "STORAGE_PUBLICLINK_PIN is wrong; right would be a pin",
        "the value is not shown"
    );
}

fn warned(source: &Memory) -> Vec<String> {
    let tables = [&Global::TABLE, &Links::TABLE];
    let names = check::names(&layers(source), &tables, &["OCIS_INSECURE"]);
    names.iter().map(Warning::to_string).collect()
}

#[test]
fn variables_that_do_nothing_are_named() {
    let source = Memory::new()
        .var("OCIS_URL", "https://a.example")
        .var("OCIS_INSECURE", "true")
        .var("PATH", "/bin")
        .var("HOME", "/root")
        .var("MYAPP_OCIS_URL", "x")
        .var("PROXY_SERVICE_HOST", "10.0.0.1")
        .var("PROXY_SERVICE_PORT_HTTP", "1")
        .var("PROXY_PORT", "tcp://10.0.0.1:9200")
        .var("PROXY_PORT_9200_TCP_ADDR", "10.0.0.1");
    assert_eq!(warned(&source), Vec::<String>::new());
    let source = source
        .var("SEARCH_GRPC_ADDR", "a:1")
        .var("STORAGE_PUBLICLINK_ADR", "a:1")
        .var("OCIS_ULR", "a:1")
        .var("LDAP_LOGIN_ATTRIBUTES", "uid");
    assert_eq!(
        warned(&source),
        [
            "LDAP_LOGIN_ATTRIBUTES is a setting of oCIS that this version does not act on",
            "OCIS_ULR is not a setting that anybody knows; the nearest known one is OCIS_URL",
            "SEARCH_GRPC_ADDR is a setting of oCIS that this version does not act on",
            "STORAGE_PUBLICLINK_ADR is not a setting that anybody knows; the nearest known one is STORAGE_PUBLICLINK_ADDR",
        ]
    );
}

#[test]
fn keys_that_do_nothing_are_named() {
    let quiet = "storage_public: {http: {addr: 'a:1'}, log: {level: info}, debug: }\nproxy:\nlog: {level: info}\n";
    assert_eq!(warned(&Memory::new().yaml("ocis.yaml", quiet)), Vec::<String>::new());
    let source = Memory::new()
        .yaml("ocis.yaml", "storage_public:\n  http:\n    adr: 'a:1'\n  grpc:\n    addr: x\npoxy:\n  http:\n    addr: x\n    root: y\nproxy:\n  role_quotas:\n    a: 1\n    b: 2\nruntime:\n  portt: 1\nlogs: 1\n")
        .yaml("storage-publiclink.yaml", "nam: x\nreva: {address: y}\n");
    assert_eq!(
        warned(&source),
        [
            "/etc/ocis/ocis.yaml:3:5: storage_public.http.adr is not a setting that anybody knows; the nearest known one is http.addr",
            "/etc/ocis/ocis.yaml: storage_public.grpc.addr (line 5) is a setting of oCIS that this version does not act on",
            "/etc/ocis/ocis.yaml:6:1: poxy is not a setting that anybody knows; the nearest known one is proxy",
            "/etc/ocis/ocis.yaml: proxy.role_quotas (line 11) is a setting of oCIS that this version does not act on",
            "/etc/ocis/ocis.yaml:15:3: runtime.portt is not a setting that anybody knows; the nearest known one is runtime.port",
            "/etc/ocis/ocis.yaml:16:1: logs is not a setting that anybody knows; the nearest known one is log",
            "/etc/ocis/storage-publiclink.yaml:1:1: nam is not a setting that anybody knows; the nearest known one is name",
            "/etc/ocis/storage-publiclink.yaml: reva.address (line 2) is a setting of oCIS that this version does not act on",
        ]
    );
}

#[test]
fn names_that_do_nothing_share_a_line_a_place() {
    let source = Memory::new()
        .yaml("ocis.yaml", "audit: {events: {cluster: x}}\nsearch: {grpc: {addr: x}}\n")
        .var("OCIS_ULR", "x")
        .var("SEARCH_GRPC_ADDR", "x");
    let tables = [&Global::TABLE, &Links::TABLE];
    let lines = problem::lines(&check::names(&layers(&source), &tables, &[]));
    assert_eq!(
        lines,
        [
            "OCIS_ULR is not a setting that anybody knows; the nearest known one is OCIS_URL",
            "environment: settings of oCIS that this version does not act on: SEARCH_GRPC_ADDR",
            "/etc/ocis/ocis.yaml: settings of oCIS that this version does not act on: audit.events.cluster (line 1), search.grpc.addr (line 2)",
        ]
    );
}

#[test]
fn built_in_defaults_need_no_machine() {
    let links = Links::default();
    assert_eq!(links.addr.as_str(), "127.0.0.1:9178");
    assert_eq!(links.debug_addr.as_str(), "127.0.0.1:9179");
    assert_eq!(links.root, PathBuf::from("/var/lib/ocis/links"));
    assert_eq!((links.types, links.log), (vec!["a".to_owned(), "b".to_owned()], Log::default()));
}
