//! Judges an `api_base` for the store by the rules that `forward_http` applies again at every connection.

use std::time::Duration;

use forward_http::egress::{Blocked, Host, Policy, SystemResolver, check_url, resolve_and_check};
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
                Ok(Err(Blocked::Address)) => {
                    return Err(
                        "Invalid Gateway secret api_base host: it has an address that is not public, \
                         which the operator has not allowed."
                            .to_owned(),
                    );
                }
                // A name that nobody knows yet is no harm: it is looked up and judged again at every connection.
                Ok(Ok(_) | Err(Blocked::Unresolved(_))) | Err(_) => {}
            }
        }
        Ok(vec![base.host_text().to_owned()])
    }
}

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
}
