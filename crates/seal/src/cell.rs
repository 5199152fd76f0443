//! The cell that a sealed secret lies in: everything it is bound to.

use aws_lc_rs::digest;

use crate::{KekId, aead::Bound};

/// What a secret is bound to. It opens only with the very same cell; a change of any part is a new seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// The workspace (tenant).
    pub workspace: &'a str,
    /// The secret's identifier.
    pub secret_id: &'a str,
    /// The secret's name.
    pub name: &'a str,
    /// The provider it may be used for; none until its first model definition names one.
    pub provider: Option<&'a str>,
    /// The version of the value, from 1.
    pub version: u64,
    /// Hosts that it may be sent to, in any order; empty: the provider's defaults.
    pub allowed_hosts: &'a [String],
}

impl Cell<'_> {
    /// What the payload's seal is bound to.
    pub(crate) fn bound(&self) -> Vec<u8> {
        Bound::new("keyward.secret.v1")
            .text(self.workspace)
            .text(self.secret_id)
            .text(self.name)
            .text(self.provider.unwrap_or_default())
            .number(self.version)
            .bytes(digest_of_hosts(self.allowed_hosts).as_ref())
            .into_bytes()
    }

    /// What the data key's wrap is bound to.
    pub(crate) fn bound_key(&self, kek: &KekId) -> Vec<u8> {
        Bound::new("keyward.dek.v1").text(kek.as_str()).text(self.secret_id).number(self.version).into_bytes()
    }
}

/// SHA-256 over the hosts, sorted, each with its length before it.
fn digest_of_hosts(hosts: &[String]) -> digest::Digest {
    let mut sorted: Vec<&str> = hosts.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    let text = sorted.into_iter().fold(Bound::new("keyward.hosts.v1"), Bound::text).into_bytes();
    digest::digest(&digest::SHA256, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_hosts_does_not_matter_but_their_borders_do() {
        let digest = |hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
            digest_of_hosts(&hosts).as_ref().to_vec()
        };
        assert_eq!(digest(&["a.com", "b.com"]), digest(&["b.com", "a.com"]));
        assert_ne!(digest(&["a.com", "b.com"]), digest(&["a.comb.com"]));
        assert_ne!(digest(&[]), digest(&[""]));
    }
}
