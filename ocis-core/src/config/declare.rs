//! [`settings!`](crate::settings): one table from which everything else about settings follows.

/// Declares the settings of a service.
///
/// ```
/// use ocis_core::config::{Address, Layers, Section, Secret};
///
/// ocis_core::settings! {
///     /// Says hello.
///     pub struct Hello("hello", key "hello", prefix "HELLO", debug "127.0.0.1:9999") {
///         /// Where it listens.
///         http_addr: Address = "127.0.0.1:9998", "http.addr", ["HELLO_HTTP_ADDR"];
///         /// Who may ask.
///         api_key: Secret = "", "api_key", ["OCIS_API_KEY", "HELLO_API_KEY"], required;
///     }
/// }
///
/// assert_eq!(Hello::default().http_addr.port(), 9998);
/// let missing = Hello::load(&Layers::default()).unwrap_err().to_string();
/// assert!(missing.starts_with("missing: hello.api_key (or the variable OCIS_API_KEY)"), "{missing}");
/// ```
///
/// A service also gets `log`, `debug_addr` and `debug_token` (`log "PREFIX"` for the one whose log
/// variables begin otherwise); without `prefix` and `debug` (as
/// `pub struct Name("name", key "topic")`) a section has just what is written. After the braces,
/// `check function` names a `fn(&Self, &mut Check)` that looks at fields together.
#[macro_export]
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident($service:literal, key $key:literal, prefix $prefix:literal, debug $debug:literal $(, log $log:literal)?) {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:literal, $yaml:expr,
                [$($var:expr),* $(,)?] $(, $flag:ident)?;
            )*
        }
        $(check $check:path)?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        $vis struct $name {
            $($(#[doc = $doc])+ $vis $field: $type,)*
            /// How and where log lines are written.
            $vis log: $crate::config::Log,
            /// Where health, readiness and metrics are served.
            $vis debug_addr: $crate::config::Address,
            /// Bearer token that metrics ask for; empty for none.
            $vis debug_token: $crate::config::Secret,
        }

        impl $name {
            fn fill(reader: &mut $crate::config::Reader<'_>) -> Self {
                Self {
                    $($field: reader.value(stringify!($field)),)*
                    log: reader.log(),
                    debug_addr: reader.value("debug_addr"),
                    debug_token: reader.value("debug_token"),
                }
            }
        }

        $crate::settings! { @section $name, $service, $key, [$($about),+], [
            $({ stringify!($field), $type, $default, $yaml, [$($var),*], [$($doc),+] $(, $flag)? })*
            { "log_level", $crate::config::LogLevel, "", "log.level",
                ["OCIS_LOG_LEVEL", concat!($crate::settings!(@log $prefix $(, $log)?), "_LOG_LEVEL")],
                ["Lines below this level are not written: panic, fatal, error, warning, info, debug, trace."] }
            { "log_pretty", bool, "", "log.pretty",
                ["OCIS_LOG_PRETTY", concat!($crate::settings!(@log $prefix $(, $log)?), "_LOG_PRETTY")],
                ["Lines for a person instead of JSON; not together with a file."] }
            { "log_color", bool, "", "log.color",
                ["OCIS_LOG_COLOR", concat!($crate::settings!(@log $prefix $(, $log)?), "_LOG_COLOR")],
                ["Colours in pretty lines."] }
            { "log_file", String, "", "log.file",
                ["OCIS_LOG_FILE", concat!($crate::settings!(@log $prefix $(, $log)?), "_LOG_FILE")],
                ["File to append to instead of the standard error output."] }
            { "debug_addr", $crate::config::Address, $debug, "debug.addr",
                [concat!($prefix, "_DEBUG_ADDR")],
                ["Where health, readiness and metrics are served."] }
            { "debug_token", $crate::config::Secret, "", "debug.token",
                [concat!($prefix, "_DEBUG_TOKEN")],
                ["Bearer token that metrics ask for; empty for none."] }
        ] $(, $check)? }
    };

    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident($service:literal, key $key:literal) {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:literal, $yaml:expr,
                [$($var:expr),* $(,)?] $(, $flag:ident)?;
            )*
        }
        $(check $check:path)?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        $vis struct $name {
            $($(#[doc = $doc])+ $vis $field: $type,)*
        }

        impl $name {
            fn fill(reader: &mut $crate::config::Reader<'_>) -> Self {
                Self { $($field: reader.value(stringify!($field)),)* }
            }
        }

        $crate::settings! { @section $name, $service, $key, [$($about),+], [
            $({ stringify!($field), $type, $default, $yaml, [$($var),*], [$($doc),+] $(, $flag)? })*
        ] $(, $check)? }
    };

    (
        @section $name:ident, $service:expr, $key:expr, [$($about:expr),+], [
            $({ $field:expr, $type:ty, $default:expr, $yaml:expr, [$($var:expr),*], [$($doc:expr),+] $(, $flag:ident)? })*
        ] $(, $check:path)?
    ) => {
        impl $crate::config::Section for $name {
            const TABLE: $crate::config::Table = $crate::config::Table {
                service: $service,
                key: $key,
                doc: concat!($($about),+),
                rows: &[$($crate::config::Row {
                    field: $field,
                    yaml: $yaml,
                    vars: &[$($var),*],
                    kind: <$type as $crate::config::Value>::KIND,
                    secret: <$type as $crate::config::Value>::SECRET,
                    required: $crate::settings!(@flag $($flag)?),
                    default: $default,
                    doc: concat!($($doc),+),
                }),*],
            };

            fn read(layers: &$crate::config::Layers) -> (Self, $crate::config::Problems) {
                let mut reader = $crate::config::Reader::new(layers, Self::TABLE);
                let section = Self::fill(&mut reader);
                let problems = reader.finish(|_check| { $($check(&section, _check);)? });
                (section, problems)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                <Self as $crate::config::Section>::read(&$crate::config::Layers::default()).0
            }
        }
    };

    (@log $prefix:literal) => { $prefix };
    (@log $prefix:literal, $log:literal) => { $log };
    (@flag) => { false };
    (@flag required) => { true };
}
