//! `keyward certs`: an authority and certificates for services that have none from elsewhere.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use names::Provider;
use secrecy::ExposeSecret as _;
use store::{Clock as _, System};
use trust::{AdmissionKeys, Authority, Domain, Identity, Issued, Lifetime};

use crate::roles::say;

const DAY: Duration = Duration::from_hours(24);
/// How long the authority counts: services are given a new one, beside the old, before then.
const AUTHORITY_DAYS: u32 = 3_650;

/// `keyward certs …`
#[derive(Debug, Subcommand)]
pub(crate) enum CertsCommand {
    /// Make an authority, and a folder of files for each service
    Init(Init),
    /// Replace the certificates that `init` made by new ones; running services take them up by themselves
    Renew(Renew),
}

/// `keyward certs init`
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Folder to make; its `ca` stays with whoever renews, each other folder goes to its service (`--tls-dir`)
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Trust domain, the same for all services of one house
    #[arg(long, value_name = "DOMAIN", default_value = Domain::DEFAULT, value_parser = domain)]
    domain: Domain,
    /// A provider that has a forwarder; may be repeated [default: gemini]
    #[arg(long, value_name = "PROVIDER")]
    provider: Vec<String>,
    /// A host's name for other tools to check; services themselves do not look at it; may be repeated
    #[arg(long, value_name = "NAME")]
    dns: Vec<String>,
    /// How many days the certificates count
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    days: u32,
}

/// `keyward certs renew`
#[derive(Debug, Args)]
pub(crate) struct Renew {
    /// The folder that `init` made
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Trust domain
    #[arg(long, value_name = "DOMAIN", default_value = Domain::DEFAULT, value_parser = domain)]
    domain: Domain,
    /// How many days the certificates count
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    days: u32,
}

/// Does it.
pub(crate) fn run(command: &CertsCommand) -> anyhow::Result<()> {
    match command {
        CertsCommand::Init(init) => make(init),
        CertsCommand::Renew(renewal) => renew(renewal),
    }
}

fn domain(text: &str) -> Result<Domain, &'static str> {
    Domain::parse(text).ok_or("lower-case letters, digits, dots, dashes and underscores are needed")
}

fn make(init: &Init) -> anyhow::Result<()> {
    let identities = identities(&init.provider)?;
    let folder = &init.folder;
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        bail!(
            "`{}` is not empty: nothing was changed; `keyward certs renew` replaces certificates",
            folder.display()
        );
    }
    let (authority, own) = Authority::create(&init.domain, lifetime(AUTHORITY_DAYS))?;
    let ca = folder.join("ca");
    private_folder(&ca)?;
    write(&ca.join("ca.pem"), own.certificate.as_bytes(), 0o644)?;
    write(&ca.join("ca-key.pem"), own.key.expose_secret().as_bytes(), 0o600)?;
    let edges = AdmissionKeys::generate()?;
    for identity in &identities {
        let own_folder = folder.join(folder_of(identity));
        private_folder(&own_folder)?;
        write(&own_folder.join("ca.pem"), own.certificate.as_bytes(), 0o644)?;
        issue(&own_folder, &authority.issue(identity, &init.dns, lifetime(init.days))?)?;
        let admission = match identity {
            Identity::Store => continue,
            Identity::Edge | Identity::EdgeAdmin => edges.text(),
            Identity::Forwarder(provider) => edges.of(provider).text(),
        };
        write(&own_folder.join("admission.key"), admission.as_bytes(), 0o600)?;
    }
    let folders: Vec<_> = identities.iter().map(folder_of).collect();
    say(&format!(
        "made an authority and certificates for {} in {}\n`ca/ca-key.pem` signs new ones: keep it away from every service\n",
        folders.join(", "),
        folder.display()
    ));
    Ok(())
}

fn renew(renewal: &Renew) -> anyhow::Result<()> {
    let ca_key = renewal.folder.join("ca/ca-key.pem");
    let text = fs::read_to_string(&ca_key);
    let text = text.with_context(|| format!("read the authority's key `{}`", ca_key.display()))?;
    let authority = Authority::of(&renewal.domain, &text)?;
    let mut renewed = Vec::new();
    for entry in fs::read_dir(&renewal.folder)? {
        let folder = entry?.path();
        let Ok(before) = fs::read_to_string(folder.join("cert.pem")) else { continue };
        let (identity, hosts) = Authority::read(&renewal.domain, &before).with_context(|| {
            format!("`{}` holds no certificate of a service of `{}`", folder.display(), renewal.domain)
        })?;
        issue(&folder, &authority.issue(&identity, &hosts, lifetime(renewal.days))?)?;
        renewed.push(folder_of(&identity));
    }
    if renewed.is_empty() {
        bail!("`{}` holds no certificates", renewal.folder.display());
    }
    renewed.sort();
    say(&format!("renewed the certificates for {}\n", renewed.join(", ")));
    Ok(())
}

/// The services of one house: store, edge, edge with the admin plane, a forwarder for each provider.
fn identities(providers: &[String]) -> anyhow::Result<Vec<Identity>> {
    let named: BTreeSet<Provider> = providers
        .iter()
        .map(|name| Provider::parse(name))
        .collect::<Result<_, _>>()
        .context("a provider's name")?;
    let mut identities = vec![Identity::Store, Identity::Edge, Identity::EdgeAdmin];
    if named.is_empty() {
        identities.push(Identity::Forwarder(Provider::parse("gemini")?));
    }
    identities.extend(named.into_iter().map(Identity::Forwarder));
    Ok(identities)
}

/// `store`, `edge`, `edge-admin`, `forwarder-gemini`
fn folder_of(identity: &Identity) -> String {
    identity.to_string().replace('/', "-")
}

fn lifetime(days: u32) -> Lifetime {
    let now = UNIX_EPOCH + Duration::from_millis(System.now_ms().unsigned_abs());
    Lifetime { now, length: DAY * days }
}

/// The key first: until the certificate is there too, the two do not belong together, and a service keeps what it has.
fn issue(folder: &Path, issued: &Issued) -> anyhow::Result<()> {
    write(&folder.join("key.pem"), issued.key.expose_secret().as_bytes(), 0o600)?;
    write(&folder.join("cert.pem"), issued.certificate.as_bytes(), 0o644)
}

fn private_folder(folder: &Path) -> anyhow::Result<()> {
    let made = fs::create_dir_all(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)));
    made.with_context(|| format!("make the folder `{}`", folder.display()))
}

/// Whole or not at all: beside, then renamed over what was there.
fn write(file: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let beside = file.with_extension("new");
    let written = (|| {
        // What an interrupted run left there may have other permissions.
        let _ = fs::remove_file(&beside);
        let mut open = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        open.write_all(bytes)?;
        open.sync_all()?;
        fs::rename(&beside, file)
    })();
    written.with_context(|| format!("write `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use trust::{Expected, Files, Trust};

    use super::*;

    fn init(folder: &Path) -> anyhow::Result<()> {
        let provider = vec!["gemini".to_owned(), "openai".to_owned()];
        let (folder, dns) = (folder.to_owned(), vec!["store.local".to_owned()]);
        make(&Init { folder, domain: Domain::default(), provider, dns, days: 30 })
    }

    fn load(folder: &Path, me: Expected) -> Trust {
        Trust::load(Files::in_folder(folder), Domain::default(), me).unwrap()
    }

    fn forwarder(provider: &str) -> Expected {
        Expected::Forwarder(Provider::parse(provider).unwrap())
    }

    #[test]
    fn each_service_gets_its_own_files_and_nothing_is_overwritten() {
        let house = tempfile::tempdir().unwrap();
        let folder = house.path().join("certs");
        init(&folder).unwrap();
        load(&folder.join("store"), Expected::Store);
        load(&folder.join("forwarder-gemini"), forwarder("gemini"));
        load(&folder.join("forwarder-openai"), forwarder("openai"));
        assert_eq!(load(&folder.join("edge"), Expected::Edge).identity(), Identity::Edge);
        assert_eq!(load(&folder.join("edge-admin"), Expected::Edge).identity(), Identity::EdgeAdmin);
        for secret in ["ca/ca-key.pem", "store/key.pem", "edge/key.pem", "edge/admission.key"] {
            let mode = fs::metadata(folder.join(secret)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{secret}");
        }
        // The store states and checks nothing; a forwarder has no other's key.
        assert!(!folder.join("store/admission.key").exists());
        let read = |name: &str| fs::read_to_string(folder.join(name).join("admission.key")).unwrap();
        assert_eq!(read("edge"), read("edge-admin"));
        assert_ne!(read("forwarder-gemini"), read("forwarder-openai"));
        let edges = AdmissionKeys::load(&folder.join("edge/admission.key")).unwrap();
        assert_eq!(*edges.of(&Provider::parse("gemini").unwrap()).text(), read("forwarder-gemini"));
        let before = fs::read(folder.join("store/key.pem")).unwrap();
        let said = init(&folder).unwrap_err().to_string();
        assert!(said.contains("nothing was changed"), "{said}");
        assert_eq!(fs::read(folder.join("store/key.pem")).unwrap(), before);
    }

    #[test]
    fn what_is_renewed_is_for_the_same_services_under_the_same_authority() {
        let house = tempfile::tempdir().unwrap();
        let folder = house.path().join("certs");
        init(&folder).unwrap();
        let store = load(&folder.join("store"), Expected::Store);
        let before = fs::read_to_string(folder.join("store/cert.pem")).unwrap();
        renew(&Renew { folder: folder.clone(), domain: Domain::default(), days: 30 }).unwrap();
        let after = fs::read_to_string(folder.join("store/cert.pem")).unwrap();
        assert_ne!(before, after);
        assert_eq!(Authority::read(&Domain::default(), &before), Authority::read(&Domain::default(), &after));
        assert_eq!(Authority::read(&Domain::default(), &after).unwrap().1, ["store.local"]);
        assert!(store.refresh().unwrap(), "a running service takes them up");
        load(&folder.join("forwarder-openai"), forwarder("openai"));
        let other = Domain::parse("other.example").unwrap();
        assert!(renew(&Renew { folder, domain: other, days: 30 }).is_err());
    }
}
