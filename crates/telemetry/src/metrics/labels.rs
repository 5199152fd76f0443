//! Labels of metrics. Their values come from the catalog and from code, so that their number is bounded.

use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// Which target a call went to, and what it asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CallLabels {
    /// The endpoint's name.
    pub endpoint: Arc<str>,
    /// The provider's name.
    pub gen_ai_provider_name: Arc<str>,
    /// The provider's own name of the model.
    pub gen_ai_request_model: Arc<str>,
    /// The operation in the conventions' words.
    pub gen_ai_operation_name: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The word for it in metrics and logs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
                self.as_str().encode(encoder)
            }
        }
    };
}

words!(
    /// How a call ended.
    Outcome {
        /// The answer was relayed to its end.
        Complete = "complete",
        /// The provider refused; its refusal was relayed.
        Refused = "refused",
        /// The answer broke after it had begun, and was aborted.
        Broken = "broken",
        /// The client went away.
        Cancelled = "cancelled",
        /// No provider answered; the gateway said so.
        Failed = "failed",
    }
);

words!(
    /// A kind of tokens.
    TokenKind {
        /// Of the prompt, cached ones included.
        Input = "input",
        /// Of the answer.
        Output = "output",
        /// Of the prompt, read from a cache.
        Cached = "cached",
        /// Of thoughts.
        Thoughts = "thoughts",
        /// Of tool use in the prompt.
        ToolUse = "tool_use",
    }
);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    #[prometheus(flatten)]
    pub(super) call: CallLabels,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TokenLabels {
    #[prometheus(flatten)]
    pub(super) call: CallLabels,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TokenTypeLabels {
    #[prometheus(flatten)]
    pub(super) call: CallLabels,
    pub(super) gen_ai_token_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReasonLabels {
    pub(super) reason: &'static str,
    pub(super) face: &'static str,
}
