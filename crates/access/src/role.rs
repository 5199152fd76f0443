//! Roles of admins, and sets of them: what a token holds.

/// What an admin is trusted with. [`Action::roles`](crate::Action::roles) says what each may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Grants and revokes the tokens of admins; may do what any admin may.
    Owner,
    /// Writes secrets; nobody reads one back.
    Secrets,
    /// Publishes endpoints.
    Config,
    /// Gives applications their keys.
    Keys,
    /// Sees what is administered, secrets masked.
    Viewer,
    /// Reads the audit log, and nothing else.
    Auditor,
    /// Drains, and rotates the keys that protect the others.
    Ops,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] =
        [Self::Owner, Self::Secrets, Self::Config, Self::Keys, Self::Viewer, Self::Auditor, Self::Ops];

    /// As rows, messages and the command line call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Secrets => "secrets",
            Self::Config => "config",
            Self::Keys => "keys",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Ops => "ops",
        }
    }

    /// Takes a role by its exact name.
    pub fn parse(text: &str) -> Result<Self, NotARole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(NotARole)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// No role has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of owner, secrets, config, keys, viewer, auditor, ops")]
pub struct NotARole;

/// A set of roles. Its text form is the names, in the order of [`Role::ALL`], with a comma between.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(from = "Vec<Role>", into = "Vec<Role>")]
pub struct Roles(u8);

impl Roles {
    /// No role: may do nothing. What a first token holds, which can only be exchanged.
    pub const NONE: Self = Self(0);

    /// The set of these.
    pub const fn of(roles: &[Role]) -> Self {
        let mut set = 0;
        let mut at = 0;
        while at < roles.len() {
            set |= roles[at].bit();
            at += 1;
        }
        Self(set)
    }

    /// Takes names with a comma between; nothing is no role.
    pub fn parse(text: &str) -> Result<Self, NotARole> {
        if text.is_empty() { Ok(Self::NONE) } else { text.split(',').map(Role::parse).collect() }
    }

    /// Whether it is one of them.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether any is in both.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |set, role| set | role.bit()))
    }
}

impl From<Vec<Role>> for Roles {
    fn from(roles: Vec<Role>) -> Self {
        roles.into_iter().collect()
    }
}

impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.iter().collect()
    }
}

impl std::fmt::Display for Roles {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, role) in self.iter().enumerate() {
            formatter.write_str(if at == 0 { "" } else { "," })?;
            formatter.write_str(role.as_str())?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Roles {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Roles({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_one_text() {
        for bits in 0..(1_u8 << Role::ALL.len()) {
            let set: Roles = Role::ALL.into_iter().filter(|role| bits & role.bit() != 0).collect();
            assert_eq!(Roles::parse(&set.to_string()), Ok(set));
            assert_eq!(serde_json::from_str::<Roles>(&serde_json::to_string(&set).unwrap()).unwrap(), set);
            assert_eq!(set.iter().count(), usize::try_from(bits.count_ones()).unwrap());
        }
    }

    #[test]
    fn names_are_exact() {
        for wrong in ["Owner", " owner", "owner,", ",", "root", "owner keys"] {
            assert_eq!(Roles::parse(wrong), Err(NotARole), "{wrong:?}");
        }
        assert_eq!(Roles::of(&[Role::Ops, Role::Owner]).to_string(), "owner,ops");
    }
}
