//! What a role says on standard output when it is ready: lines that a program can read, and what a newcomer needs.

use std::{io::Write as _, net::SocketAddr};

use super::storage::Storage;
use crate::environment;

/// What the admin's command line calls when nothing is said.
const DEFAULT_URL: &str = "http://127.0.0.1:5000";

/// Prints, and makes sure that it was seen: whoever started this process may wait for it.
pub(crate) fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// A listener that others can reach, and that asks nobody for a credential, says so where it is seen.
pub(super) fn exposed(address: SocketAddr) -> Option<String> {
    (!address.ip().is_loopback()).then(|| {
        format!(
            "WARNING: {address} is not a loopback address and nobody needs a credential (`--insecure-open`): whoever \
             reaches it spends your money and may change your endpoints\n"
        )
    })
}

/// Where data and key lie.
pub(super) fn storage(storage: &Storage) -> String {
    let Storage { data, key_file, key_id, key_is_new, .. } = storage;
    let made = if *key_is_new { ", made just now" } else { "" };
    format!(
        "data in {data}\n\
         key in {} (id {key_id}{made})\n    \
         Keep a copy of this file in another place: without it nobody can open the secrets in the database.\n",
        key_file.display()
    )
}

/// What to do next: a call of an endpoint that there is, or how to come to one.
pub(super) fn first_steps(url: &str, endpoint: Option<&str>) -> String {
    let mut steps = Vec::new();
    if endpoint.is_none() {
        steps.push("\nStore a provider's key, publish an endpoint, test it:\n".to_owned());
        if url != DEFAULT_URL {
            steps.push(format!("    export {}={url}\n", environment::URL));
        }
        steps.push(
            "    keyward secret create gemini_api --provider gemini < key.txt\n    \
             keyward model create flash --provider gemini --model gemini-2.5-flash --secret gemini_api\n    \
             keyward endpoint create gemini-v1 --model flash\n    \
             keyward endpoint test gemini-v1\n"
                .to_owned(),
        );
    }
    let endpoint = endpoint.unwrap_or("gemini-v1");
    steps.push(format!(
        "\nCall it:\n    \
         curl '{url}/gateway/gemini/v1beta/models/{endpoint}:generateContent' \\\n      \
         -H 'content-type: application/json' -d '{{\"contents\":[{{\"parts\":[{{\"text\":\"Hello\"}}]}}]}}'\n\n"
    ));
    steps.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_can_reach_is_warned_of() {
        for open in ["0.0.0.0:5000", "[::]:5000", "192.0.2.1:80"] {
            let warning = exposed(open.parse().unwrap()).unwrap();
            assert!(warning.contains(open) && warning.lines().count() == 1, "{warning}");
        }
        for closed in ["127.0.0.1:5000", "[::1]:5000"] {
            assert_eq!(exposed(closed.parse().unwrap()), None);
        }
    }

    #[test]
    fn a_shell_takes_the_printed_url_as_it_is() {
        let steps = first_steps(DEFAULT_URL, Some("chat"));
        assert!(
            steps.contains("curl 'http://127.0.0.1:5000/gateway/gemini/v1beta/models/chat:generateContent' ")
        );
    }
}
