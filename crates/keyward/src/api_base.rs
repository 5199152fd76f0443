//! Judges an `api_base` for the store by the rules that `forward_http` applies again at every connection.

use std::time::Duration;

use forward_http::egress::{Blocked, Host, Policy, Scheme, SystemResolver, check_url, resolve_and_check};
use store::ApiBasePolicy;

/// How long the look-up of a host's name may take.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);

/// The operator's egress rules, as the store asks them.
pub(crate) struct EgressRules {
    /// The rules.
    pub policy: Policy,
    /// Whether a proxy looks names up, so that addresses behind names cannot be judged here.
    pub behind_proxy: bool,
}

#[async_trait::async_trait]
impl ApiBasePolicy for EgressRules {
    async fn allowed_hosts(&self, api_base: &str) -> Result<Vec<String>, String> {
        let base = check_url(api_base, &self.policy).map_err(|refusal| refusal.to_string())?;
        if matches!(base.host(), Host::Name(_)) && !self.behind_proxy {
            let looked_up =
                resolve_and_check(base.scheme(), base.host(), base.port(), &self.policy, &SystemResolver);
            match tokio::time::timeout(LOOK_UP_MAX, looked_up).await {
                Ok(Err(Blocked::Address)) => return Err(refusal(base.scheme()).to_owned()),
                // Cleartext is allowed to certain networks only: who cannot be found is not known to be in one.
                Ok(Err(Blocked::Unresolved(_))) | Err(_) if base.scheme() == Scheme::Http => {
                    return Err(UNRESOLVED.to_owned());
                }
                // A name that nobody knows yet is no harm: it is looked up and judged again at every connection.
                Ok(Ok(_) | Err(Blocked::Unresolved(_))) | Err(_) => {}
            }
        }
        Ok(vec![base.host_text().to_owned()])
    }
}

/// Of a host whose address is none of those that are allowed with this scheme.
fn refusal(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Https => {
            "Invalid Gateway secret api_base host: it has an address that is not public, which the operator has not \
             allowed."
        }
        Scheme::Http => {
            "Invalid Gateway secret api_base host: 'http' is allowed only to networks that the operator lists, and it \
             has an address outside of them. Allowed elsewhere is: 'https'."
        }
    }
}

const UNRESOLVED: &str = "Invalid Gateway secret api_base host: 'http' is allowed only to networks that the operator \
                          lists, and the host's name could not be resolved to an address in one. Allowed elsewhere \
                          is: 'https'.";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hosts_come_out_of_what_the_rules_let_through() {
        let rules = EgressRules {
            policy: Policy::new(vec!["http://127.0.0.0/8".parse().unwrap()]),
            behind_proxy: true,
        };
        let hosts = rules.allowed_hosts("https://generativelanguage.googleapis.com/v1beta").await.unwrap();
        assert_eq!(hosts, ["generativelanguage.googleapis.com"]);
        assert_eq!(rules.allowed_hosts("http://127.0.0.1:9000").await.unwrap(), ["127.0.0.1"]);
        for refused in
            ["http://10.0.0.1", "https://10.0.0.1", "ftp://example.com", "https://user:pw@example.com"]
        {
            let said = rules.allowed_hosts(refused).await.unwrap_err();
            assert!(said.starts_with("Invalid Gateway secret api_base"), "{said}");
            assert!(!said.contains("pw@"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_name_that_means_this_machine_is_refused() {
        let policy = Policy::new(Vec::new());
        let rules = EgressRules { policy, behind_proxy: false };
        assert!(rules.allowed_hosts("https://localhost").await.is_err());
    }

    #[tokio::test]
    async fn cleartext_goes_by_name_only_to_what_is_found_in_an_allowed_network() {
        let allow = |entries: &[&str]| {
            let allow = entries.iter().map(|entry| entry.parse().unwrap()).collect();
            EgressRules { policy: Policy::new(allow), behind_proxy: false }
        };
        let loopback = allow(&["http://127.0.0.0/8", "http://[::1]", "https://192.0.2.0/24"]);
        assert_eq!(loopback.allowed_hosts("http://localhost").await.unwrap(), ["localhost"]);
        // RFC 6761: a name that never has an address.
        let said = loopback.allowed_hosts("http://nobody.invalid").await.unwrap_err();
        assert!(said.contains("could not be resolved") && said.contains("'https'"), "{said}");
        let said = allow(&["http://192.0.2.0/24"]).allowed_hosts("http://localhost").await.unwrap_err();
        assert!(said.contains("outside of them") && !said.contains("public"), "{said}");
        assert!(loopback.allowed_hosts("https://not-yet.nobody.example").await.is_ok());
    }
}
