//! A directory that we did not write: OpenLDAP's `slapd` (Debian package `slapd`) with a schema
//! like that of ownCloud and the demo users in it, over LDAPS and StartTLS with a certificate
//! authority of its own; without TLS it answers nothing. It dies with its handle.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::process::{run, run_with_input};
use super::{ADMIN_PASSWORD, DEMO_USERS, Launch, free_port};

/// The entry that everything is below.
pub const BASE: &str = "dc=example,dc=org";
/// Who may change everything.
pub const ROOT_DN: &str = "cn=root,dc=example,dc=org";
/// The password of [`ROOT_DN`].
pub const ROOT_PASSWORD: &str = "Root-secret-9";
/// Who may read everything but passwords, no more than 500 entries at once.
pub const READER_DN: &str = "cn=reader,dc=example,dc=org";
/// The password of [`READER_DN`].
pub const READER_PASSWORD: &str = "Reader-secret-9";
/// The group whose members are disabled where the settings say so.
pub const DISABLED_DN: &str = "cn=disabled,dc=example,dc=org";
/// The id of the account `admin`.
pub const ADMIN_ID: &str = "5d0c1c2e-8f4e-4c1b-a6a5-0b1f2b1d9c11";

const READY: Duration = Duration::from_secs(30);

const SCHEMA: &str = "
objectidentifier ownCloudOc 1.3.6.1.4.1.39430.1
attributetype ( ownCloudOc:1.1 NAME 'ownCloudUUID'
    EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
    SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( ownCloudOc:1.2 NAME 'oCExternalIdentity'
    EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( ownCloudOc:1.3 NAME 'ownCloudUserEnabled'
    EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( ownCloudOc:1.4 NAME 'ownCloudUserType'
    EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( ownCloudOc:1.99 NAME 'testGuid'
    EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( ownCloudOc:2.1 NAME 'ownCloud' SUP top AUXILIARY
    MAY ( ownCloudUUID $ testGuid ) )
objectclass ( ownCloudOc:2.2 NAME 'ownCloudUser' SUP ownCloud AUXILIARY
    MAY ( ownCloudUserEnabled $ ownCloudUserType $ oCExternalIdentity ) )
";

/// Name, id, members.
const GROUPS: [(&str, &str, &[&str]); 3] = [
    ("users", "509a9dcd-bb37-4f4f-a01a-19dca27d9cfa", &["admin", "einstein", "marie", "richard"]),
    ("physics-lovers", "262982c1-2362-4afa-bfdf-8cbfef64a06e", &["einstein", "marie", "richard"]),
    ("nobody-in-here", "91d1c1a2-3f1c-4f6f-8f7b-5d1d0b8f2a77", &[]),
];

/// A running directory; dropped, it is killed.
#[derive(Debug)]
pub struct OpenLdap {
    child: RefCell<Option<Child>>,
    port: u16,
    plain: u16,
    folder: TempDir,
}

impl OpenLdap {
    /// Starts the directory with `more` accounts besides the demo users, called `extra-0000` and so
    /// on, and waits until it answers.
    pub fn start(more: usize) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("ocis-openldap-").tempdir()?;
        let server =
            Self { child: RefCell::default(), port: free_port()?, plain: free_port()?, folder };
        server.configure()?;
        let data = entries(more);
        let load = ["-q", "-f", "slapd.conf", "-l", "/dev/stdin"];
        let mut command = Command::new("slapadd");
        command.args(load).current_dir(server.folder.path());
        run_with_input(&mut command, data.as_bytes(), READY)?.success("slapadd")?;
        server.resume()?;
        Ok(server)
    }

    fn configure(&self) -> Result<()> {
        let folder = self.folder.path();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text);
        fs::create_dir(folder.join("db"))?;
        write("owncloud.schema", SCHEMA)?;
        write("extensions", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")?;
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let openssl = |arguments: &[&str]| -> Result<()> {
            let mut command = Command::new("openssl");
            run(command.args(arguments).current_dir(folder), READY)?.success("openssl").map(drop)
        };
        let authority = ["req", "-x509", "-days", "2", "-subj", "/CN=Test Authority"];
        openssl(&[&authority[..], &key, &["-keyout", "ca.key", "-out", "ca.crt"]].concat())?;
        let request = ["req", "-subj", "/CN=localhost"];
        openssl(&[&request[..], &key, &["-keyout", "ldap.key", "-out", "ldap.csr"]].concat())?;
        openssl(&[
            "x509",
            "-req",
            "-in",
            "ldap.csr",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "extensions",
            "-out",
            "ldap.crt",
        ])?;
        write(
            "slapd.conf",
            &format!(
                "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {folder}/owncloud.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {folder}/ldap.crt
TLSCertificateKeyFile {folder}/ldap.key
TLSCACertificateFile {folder}/ca.crt
require authc
security tls=1
database mdb
suffix \"{BASE}\"
rootdn \"{ROOT_DN}\"
rootpw {ROOT_PASSWORD}
directory {folder}/db
maxsize 104857600
index objectClass,member,ownCloudUUID eq
index uid,cn,mail eq,sub
limits dn.exact=\"{READER_DN}\" size.soft=500 size.hard=500 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=\"{READER_DN}\" read by * none
",
                folder = folder.display()
            ),
        )?;
        Ok(())
    }

    /// Starts it again after [`Self::kill`], with what it held, where it was.
    pub fn resume(&self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "slapd", "-d", "0", "-f", "slapd.conf", "-h"])
            .arg(format!("{} ldap://127.0.0.1:{}", self.address(), self.plain))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting slapd (Debian: slapd)")?;
        *self.child.borrow_mut() = Some(child);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = match &mut *self.child.borrow_mut() {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if start.elapsed() > READY || ended {
                bail!("slapd is not ready; it said:\n{}", self.log());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Ends it without warning.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.borrow_mut().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Where it is, as a URI.
    pub fn url(&self) -> String {
        format!("ldaps://localhost:{}", self.port)
    }

    /// The same with StartTLS.
    pub fn starttls_url(&self) -> String {
        format!("ldap+starttls://localhost:{}", self.plain)
    }

    /// As [`Self::url`], for OpenLDAP's own programs: they take `localhost` for the name of this
    /// machine, and then miss it in the certificate.
    fn address(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.port)
    }

    /// The certificate of its authority.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Changes entries as `ldapmodify` takes them (LDIF).
    pub fn modify(&self, ldif: &str) -> Result<()> {
        self.tool("ldapmodify", &[], ldif).map(drop)
    }

    /// What `ldapsearch` finds, without comments.
    pub fn search(&self, arguments: &[&str]) -> Result<String> {
        self.tool("ldapsearch", &[&["-LLL", "-b", BASE], arguments].concat(), "")
    }

    fn tool(&self, name: &str, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = Command::new(name);
        command.args(["-x", "-H", &self.address(), "-D", ROOT_DN, "-w", ROOT_PASSWORD]);
        command.args(arguments).env("LDAPTLS_CACERT", self.authority());
        Ok(run_with_input(&mut command, input.as_bytes(), READY)?.success(name)?.stdout)
    }

    /// A server, initialised, whose accounts are here; it may change them.
    pub fn launch(&self, launch: Launch) -> Result<Launch> {
        launch.init()?;
        Ok(launch
            .env("OCIS_EXCLUDE_RUN_SERVICES", "idm")
            .env("OCIS_ADMIN_USER_ID", ADMIN_ID)
            .env("OCIS_LDAP_URI", &self.url())
            .env("OCIS_LDAP_CACERT", &self.authority().display().to_string())
            .env("OCIS_LDAP_BIND_DN", READER_DN)
            .env("OCIS_LDAP_BIND_PASSWORD", READER_PASSWORD)
            .env("GRAPH_LDAP_BIND_DN", ROOT_DN)
            .env("GRAPH_LDAP_BIND_PASSWORD", ROOT_PASSWORD)
            .env("OCIS_LDAP_USER_BASE_DN", &format!("ou=users,{BASE}"))
            .env("OCIS_LDAP_GROUP_BASE_DN", &format!("ou=groups,{BASE}")))
    }
}

impl Drop for OpenLdap {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The DN of a user.
pub fn user_dn(name: &str) -> String {
    format!("uid={name},ou=users,{BASE}")
}

fn entries(more: usize) -> String {
    let mut ldif = format!(
        "dn: {BASE}\nobjectClass: organization\nobjectClass: dcObject\no: Example\ndc: example\n\n\
         dn: {READER_DN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
         cn: reader\nuserPassword: {READER_PASSWORD}\n\n\
         dn: {DISABLED_DN}\nobjectClass: groupOfNames\ncn: disabled\nmember:\n\n"
    );
    for unit in ["users", "groups"] {
        let _ =
            writeln!(ldif, "dn: ou={unit},{BASE}\nobjectClass: organizationalUnit\nou: {unit}\n");
    }
    let admin = ("admin", ADMIN_PASSWORD, "Admin", ADMIN_ID);
    for (name, password, display, id) in std::iter::once(admin).chain(DEMO_USERS) {
        add_user(&mut ldif, name, password, display, id);
    }
    for number in 0..more {
        let name = format!("extra-{number:04}");
        add_user(
            &mut ldif,
            &name,
            "unused",
            &name,
            &format!("e0000000-0000-4000-8000-{number:012}"),
        );
    }
    for (name, id, members) in GROUPS {
        let _ = writeln!(
            ldif,
            "dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\nobjectClass: ownCloud\n\
             cn: {name}\nownCloudUUID: {id}\ntestGuid:: {}",
            octets(id)
        );
        if members.is_empty() {
            ldif.push_str("member:\n");
        }
        for member in members {
            let _ = writeln!(ldif, "member: {}", user_dn(member));
        }
        ldif.push('\n');
    }
    ldif
}

fn add_user(ldif: &mut String, name: &str, password: &str, display: &str, id: &str) {
    let surname = display.split(' ').next_back().unwrap_or(display);
    let _ = writeln!(
        ldif,
        "dn: {}\nobjectClass: inetOrgPerson\nobjectClass: ownCloudUser\nuid: {name}\ncn: {name}\n\
         sn: {surname}\ndisplayName:: {}\nmail: {name}@example.org\nuserPassword: {password}\n\
         ownCloudUUID: {id}\ntestGuid:: {}\n",
        user_dn(name),
        STANDARD.encode(display),
        octets(id)
    );
}

/// The bytes of a UUID, as LDIF takes them.
fn octets(id: &str) -> String {
    let digits: Vec<u8> = id.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).unwrap_or_default();
        u8::from_str_radix(text, 16).unwrap_or_default()
    };
    STANDARD.encode(digits.chunks(2).map(byte).collect::<Vec<_>>())
}
