//! An authority for a house that has none of its own: `keyward certs`.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::SecretString;
use webpki::EndEntityCert;

use crate::{
    error::TrustError,
    identity::{Domain, Identity},
};

/// Clocks differ: what is made now was good a little before.
const BACKDATED: Duration = Duration::from_hours(1);

/// From when to when.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// Now.
    pub now: SystemTime,
    /// How long from now.
    pub length: Duration,
}

/// A certificate authority that signs the certificates of one house.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    domain: Domain,
}

/// A certificate with its key, both PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: SecretString,
}

impl Authority {
    /// A new one, and its own certificate.
    pub fn create(domain: &Domain, lifetime: Lifetime) -> Result<(Self, Issued), TrustError> {
        let key = KeyPair::generate()?;
        let secret = SecretString::from(key.serialize_pem());
        let mut params = params_of(domain);
        within(&mut params, lifetime);
        let certificate = params.self_signed(&key)?.pem();
        let authority = Self { issuer: Issuer::new(params, key), domain: domain.clone() };
        Ok((authority, Issued { certificate, key: secret }))
    }

    /// The one that [`Authority::create`] made for this domain, by its private key.
    pub fn of(domain: &Domain, key: &str) -> Result<Self, TrustError> {
        let key = KeyPair::from_pem(key)?;
        Ok(Self { issuer: Issuer::new(params_of(domain), key), domain: domain.clone() })
    }

    /// A certificate for a service. `hosts` are names by which other tools may check it; services do not look at them.
    pub fn issue(
        &self,
        identity: &Identity,
        hosts: &[String],
        lifetime: Lifetime,
    ) -> Result<Issued, TrustError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        within(&mut params, lifetime);
        params.distinguished_name = named(&identity.to_string());
        params.subject_alt_names.push(SanType::URI(identity.uri(&self.domain).try_into()?));
        for host in hosts {
            params.subject_alt_names.push(SanType::DnsName(host.clone().try_into()?));
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: key.serialize_pem().into() })
    }

    /// Who a certificate (PEM) of this domain is for, and the hosts that it names.
    pub fn read(domain: &Domain, certificate: &str) -> Option<(Identity, Vec<String>)> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).ok()?;
        let identity = Identity::of(domain, &der)?;
        let read = EndEntityCert::try_from(&der).ok()?;
        Some((identity, read.valid_dns_names().map(str::to_owned).collect()))
    }
}

fn params_of(domain: &Domain) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("Keyward services of {domain}"));
    // It signs services, never another authority.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn within(params: &mut CertificateParams, lifetime: Lifetime) {
    params.not_before = (lifetime.now - BACKDATED).into();
    params.not_after = (lifetime.now + lifetime.length).into();
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    // A common name has at most 64 characters (RFC 5280, upper bounds).
    distinguished.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    distinguished
}
