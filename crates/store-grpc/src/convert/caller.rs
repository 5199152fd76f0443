//! Client keys and what edges check them with, to and from their messages.

use access::{Key, KeyId, Kind, Mac, Only, PepperId, Record, Scope};
use names::{Actor, EndpointName, Label};
use proto::store::v1;
use store::{
    Caller, ClientKey, ClientKeyChange, Expiry, MintedKey, NewClientKey, PublishedCaller, PublishedKey,
    PublishedPepper,
};

use super::{Malformed, Wire, name, optional, optional_name, required};

/// An id of a key.
pub(crate) fn key_id(field: &'static str, text: &str) -> Result<KeyId, Malformed> {
    KeyId::parse(text).map_err(|_| Malformed::Field(field, "must be 8 letters or digits"))
}

/// A scope: absent where it is every endpoint.
fn scope_message(scope: Scope) -> Option<v1::Scope> {
    match scope {
        Scope::All => None,
        Scope::Only(only) => Some(only.to_wire()),
    }
}

fn scope(message: Option<v1::Scope>) -> Result<Scope, Malformed> {
    Ok(optional::<Only>(message)?.map_or(Scope::All, Scope::Only))
}

impl Wire for Only {
    type Message = v1::Scope;

    fn to_wire(self) -> v1::Scope {
        let tag = |(key, value): (&str, &str)| v1::ScopeTag { key: key.to_owned(), value: value.to_owned() };
        v1::Scope {
            names: self.names().map(ToString::to_string).collect(),
            tags: self.tags().map(tag).collect(),
        }
    }

    fn from_wire(message: v1::Scope) -> Result<Self, Malformed> {
        let names = message.names.iter().map(|text| name("scope.names", text, EndpointName::parse));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let tags = message.tags.into_iter().map(|tag| (tag.key, tag.value));
        match Scope::only(names, tags) {
            Ok(Scope::Only(only)) => Ok(only),
            Ok(Scope::All) | Err(_) => Err(Malformed::Field(
                "scope",
                "holds at most 256 names and tags, a tag's key 1 to 250 bytes and its value at most 8000",
            )),
        }
    }
}

impl Wire for ClientKey {
    type Message = v1::ClientKey;

    fn to_wire(self) -> v1::ClientKey {
        v1::ClientKey {
            key_id: self.key_id.into(),
            owner: self.owner.into(),
            note: self.note,
            scope: scope_message(self.scope),
            expires_at: self.expires_at,
            retires_at: self.retires_at,
            revoked_at: self.revoked_at,
            replaced_by: self.replaced_by.map(Into::into),
            created_at: self.created_at,
            last_updated_at: self.last_updated_at,
            created_by: self.created_by.map(Into::into),
            last_updated_by: self.last_updated_by.map(Into::into),
        }
    }

    fn from_wire(message: v1::ClientKey) -> Result<Self, Malformed> {
        let replaced_by = message.replaced_by.map(|text| key_id("key.replaced_by", &text)).transpose()?;
        Ok(Self {
            key_id: key_id("key.key_id", &message.key_id)?,
            owner: name("key.owner", &message.owner, Label::parse)?,
            note: message.note,
            scope: scope(message.scope)?,
            expires_at: message.expires_at,
            retires_at: message.retires_at,
            revoked_at: message.revoked_at,
            replaced_by,
            created_at: message.created_at,
            last_updated_at: message.last_updated_at,
            created_by: optional_name("key.created_by", message.created_by, Actor::parse)?,
            last_updated_by: optional_name("key.last_updated_by", message.last_updated_by, Actor::parse)?,
        })
    }
}

impl Wire for MintedKey {
    type Message = v1::MintedKey;

    fn to_wire(self) -> v1::MintedKey {
        let shown_once = bytes::Bytes::copy_from_slice(self.shown_once.expose().as_bytes());
        v1::MintedKey { key: Some(self.key.to_wire()), shown_once }
    }

    fn from_wire(message: v1::MintedKey) -> Result<Self, Malformed> {
        let shown_once = Key::parse(Kind::Client, &message.shown_once)
            .map_err(|_| Malformed::Field("minted.shown_once", "is not a client key"))?;
        Ok(Self { key: required("minted.key", message.key)?, shown_once })
    }
}

impl Wire for (Caller, NewClientKey) {
    type Message = v1::CreateClientKeyRequest;

    fn to_wire(self) -> v1::CreateClientKeyRequest {
        let (caller, new) = self;
        v1::CreateClientKeyRequest {
            caller: Some(caller.to_wire()),
            owner: new.owner.into(),
            note: new.note,
            scope: scope_message(new.scope),
            expires_at: new.expires_at,
        }
    }

    fn from_wire(message: v1::CreateClientKeyRequest) -> Result<Self, Malformed> {
        let new = NewClientKey {
            owner: name("owner", &message.owner, Label::parse)?,
            note: message.note,
            scope: scope(message.scope)?,
            expires_at: message.expires_at,
        };
        Ok((required("caller", message.caller)?, new))
    }
}

impl Wire for (Caller, ClientKeyChange) {
    type Message = v1::UpdateClientKeyRequest;

    fn to_wire(self) -> v1::UpdateClientKeyRequest {
        use v1::update_client_key_request::{NewEnd, NewScope};
        let (caller, change) = self;
        v1::UpdateClientKeyRequest {
            caller: Some(caller.to_wire()),
            key_id: change.key_id.into(),
            note: change.note,
            new_scope: change.scope.map(|scope| match scope {
                Scope::All => NewScope::All(v1::AllEndpoints {}),
                Scope::Only(only) => NewScope::Only(only.to_wire()),
            }),
            new_end: change.expires_at.map(|end| match end {
                Expiry::Never => NewEnd::Never(v1::NoEnd {}),
                Expiry::At(time) => NewEnd::ExpiresAt(time),
            }),
        }
    }

    fn from_wire(message: v1::UpdateClientKeyRequest) -> Result<Self, Malformed> {
        use v1::update_client_key_request::{NewEnd, NewScope};
        let scope = match message.new_scope {
            None => None,
            Some(NewScope::All(_)) => Some(Scope::All),
            Some(NewScope::Only(only)) => Some(Scope::Only(Only::from_wire(only)?)),
        };
        let expires_at = message.new_end.map(|end| match end {
            NewEnd::Never(_) => Expiry::Never,
            NewEnd::ExpiresAt(time) => Expiry::At(time),
        });
        let key_id = key_id("key_id", &message.key_id)?;
        let change = ClientKeyChange { key_id, note: message.note, scope, expires_at };
        Ok((required("caller", message.caller)?, change))
    }
}

impl Wire for PublishedCaller {
    type Message = v1::PublishedCaller;

    fn to_wire(self) -> v1::PublishedCaller {
        use v1::published_caller::Item;
        let item = match self {
            Self::Pepper(pepper) => Item::Pepper(v1::PublishedPepper {
                id: pepper.id().0,
                material: bytes::Bytes::copy_from_slice(pepper.expose()),
            }),
            Self::Key(key) => Item::Key(key.to_wire()),
        };
        v1::PublishedCaller { item: Some(item) }
    }

    fn from_wire(message: v1::PublishedCaller) -> Result<Self, Malformed> {
        use v1::published_caller::Item;
        Ok(match message.item.ok_or(Malformed::Missing("item"))? {
            Item::Pepper(pepper) => {
                Self::Pepper(PublishedPepper::new(PepperId(pepper.id), pepper.material.to_vec()))
            }
            Item::Key(key) => Self::Key(PublishedKey::from_wire(key)?),
        })
    }
}

impl Wire for PublishedKey {
    type Message = v1::PublishedKey;

    fn to_wire(self) -> v1::PublishedKey {
        v1::PublishedKey {
            key_id: self.record.key_id.into(),
            mac: bytes::Bytes::copy_from_slice(self.record.mac.as_bytes()),
            pepper: self.record.pepper.0,
            not_before: self.record.not_before_ms,
            expires_at: self.record.expires_at_ms,
            retires_at: self.record.retires_at_ms,
            revoked_at: self.record.revoked_at_ms,
            owner: self.owner.into(),
            scope: scope_message(self.scope),
        }
    }

    fn from_wire(message: v1::PublishedKey) -> Result<Self, Malformed> {
        let record = Record {
            key_id: key_id("key_id", &message.key_id)?,
            mac: Mac::from_bytes(&message.mac).ok_or(Malformed::Field("mac", "must have 32 bytes"))?,
            pepper: PepperId(message.pepper),
            not_before_ms: message.not_before,
            expires_at_ms: message.expires_at,
            retires_at_ms: message.retires_at,
            revoked_at_ms: message.revoked_at,
        };
        Ok(Self { record, owner: name("owner", &message.owner, Label::parse)?, scope: scope(message.scope)? })
    }
}
