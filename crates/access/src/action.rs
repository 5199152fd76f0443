//! What routes and RPCs ask for, and the one table of who may.

use crate::{Role, Roles};

/// What one route or RPC does, as far as roles go. Every route and every RPC of admins names exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See who one is: the own token's roles and end.
    ReadSelf,
    /// See endpoints, model definitions, bindings, tags and experiments.
    ReadConfig,
    /// Change them.
    WriteConfig,
    /// See secrets, masked. There is no action that shows one.
    ReadSecrets,
    /// Create, replace, rename and delete secrets.
    WriteSecrets,
    /// See client keys, masked.
    ReadClientKeys,
    /// Create, rotate, revoke and re-scope client keys.
    WriteClientKeys,
    /// See the tokens of admins, masked.
    ReadAdminTokens,
    /// Grant and revoke them.
    GrantAdminTokens,
    /// Read and verify the audit log.
    ReadAudit,
    /// See how the services do: watchers, revisions, which key protects what.
    ReadStatus,
    /// Drain.
    Operate,
    /// Add, promote, rewrap and retire key-encryption keys and peppers.
    RotateKeys,
    /// Scrape metrics.
    ReadMetrics,
    /// Ask gRPC reflection and read the OpenAPI document.
    Reflect,
    /// Change the first token for an owner's. No role may: it belongs to the first token, which has no role.
    ExchangeFirstToken,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 16] = [
        Self::ReadSelf,
        Self::ReadConfig,
        Self::WriteConfig,
        Self::ReadSecrets,
        Self::WriteSecrets,
        Self::ReadClientKeys,
        Self::WriteClientKeys,
        Self::ReadAdminTokens,
        Self::GrantAdminTokens,
        Self::ReadAudit,
        Self::ReadStatus,
        Self::Operate,
        Self::RotateKeys,
        Self::ReadMetrics,
        Self::Reflect,
        Self::ExchangeFirstToken,
    ];

    /// Who may. A new action without a row does not compile; a changed row fails against `tests/golden/roles.txt`.
    ///
    /// Who writes something sees what it needs to name: a definition its secret, a scope its endpoints.
    #[rustfmt::skip]
    pub const fn roles(self) -> Roles {
        use Role::{Auditor, Config, Keys, Ops, Owner, Secrets, Viewer};
        match self {
            Self::ReadSelf           => Roles::of(&Role::ALL),
            Self::ReadConfig         => Roles::of(&[Owner, Secrets, Config, Keys, Viewer]),
            Self::WriteConfig        => Roles::of(&[Owner, Config]),
            Self::ReadSecrets        => Roles::of(&[Owner, Secrets, Config, Viewer]),
            Self::WriteSecrets       => Roles::of(&[Owner, Secrets]),
            Self::ReadClientKeys     => Roles::of(&[Owner, Keys, Viewer]),
            Self::WriteClientKeys    => Roles::of(&[Owner, Keys]),
            Self::ReadAdminTokens
            | Self::GrantAdminTokens => Roles::of(&[Owner]),
            Self::ReadAudit          => Roles::of(&[Owner, Auditor]),
            Self::ReadStatus
            | Self::ReadMetrics      => Roles::of(&[Owner, Viewer, Ops]),
            Self::Operate
            | Self::RotateKeys       => Roles::of(&[Owner, Ops]),
            Self::Reflect            => Roles::of(&[Owner, Secrets, Config, Keys, Viewer, Ops]),
            Self::ExchangeFirstToken => Roles::NONE,
        }
    }

    /// Whether whoever holds these roles may.
    pub const fn permitted_to(self, roles: Roles) -> bool {
        self.roles().intersects(roles)
    }

    /// As the audit log and the golden table call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadSelf => "read_self",
            Self::ReadConfig => "read_config",
            Self::WriteConfig => "write_config",
            Self::ReadSecrets => "read_secrets",
            Self::WriteSecrets => "write_secrets",
            Self::ReadClientKeys => "read_client_keys",
            Self::WriteClientKeys => "write_client_keys",
            Self::ReadAdminTokens => "read_admin_tokens",
            Self::GrantAdminTokens => "grant_admin_tokens",
            Self::ReadAudit => "read_audit",
            Self::ReadStatus => "read_status",
            Self::Operate => "operate",
            Self::RotateKeys => "rotate_keys",
            Self::ReadMetrics => "read_metrics",
            Self::Reflect => "reflect",
            Self::ExchangeFirstToken => "exchange_first_token",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
