//! Why files cannot be trusted.

use std::path::PathBuf;

use rustls::{pki_types::pem, server::VerifierBuilderError};

/// Why certificate, key or authorities cannot be used. Says which file, never what is in a key.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file cannot be read.
    #[error("`{}` cannot be read", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not PEM, or not of what belongs there.
    #[error("`{}` does not hold {wanted} in PEM", file.display())]
    NotPem {
        /// Which.
        file: PathBuf,
        /// What belongs there.
        wanted: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// A file holds no certificate.
    #[error("`{}` holds no certificate", file.display())]
    Empty {
        /// Which.
        file: PathBuf,
    },
    /// A certificate of the authorities' file cannot be one.
    #[error("`{}` holds a certificate that cannot be an authority", file.display())]
    NotAnAuthority {
        /// Which.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// Certificate and key are not each other's, or one of them is none.
    #[error("`{}` and `{}` cannot be used for TLS: do they belong together?", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The certificate names nobody, or somebody else.
    #[error("the certificate in `{}` is for {found}, and this process must be `{expected}` of `{domain}`", file.display())]
    SomebodyElse {
        /// The certificate's file.
        file: PathBuf,
        /// Who it names.
        found: String,
        /// Who this process is.
        expected: String,
        /// The trust domain.
        domain: String,
    },
    /// The key of admission statements is none.
    #[error("`{}` must hold keys of 64 hexadecimal digits, a line each", file.display())]
    NotAnAdmissionKey {
        /// Which.
        file: PathBuf,
    },
    /// The TLS library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Defaults(#[source] rustls::Error),
    /// The TLS library refuses the authorities.
    #[error("TLS cannot be set up")]
    Authorities(#[from] VerifierBuilderError),
    /// A certificate cannot be made.
    #[error("a certificate cannot be made")]
    Making(#[from] rcgen::Error),
}
