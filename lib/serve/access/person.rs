//! Roles and their rights. Pure.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::hub::View;

/// What somebody is to the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches gates and lots.
    Viewer,
    /// Parks: sees what is free, and what is their own.
    User,
    /// Watches, and moves gates.
    Operator,
    /// Sees and does everything.
    Admin,
    /// The process at one gate: sends its records and takes its commands.
    Controller,
}

impl Role {
    /// Its word in logs.
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::User => "user",
            Role::Operator => "operator",
            Role::Admin => "admin",
            Role::Controller => "controller",
        }
    }
}

/// Somebody at a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name in tokens and in the audit trail.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// The only gate they may speak for, if there is one.
    pub gate_id: Option<String>,
    /// The only cameras they may see, if they are named.
    pub cameras: Option<Vec<String>>,
    /// When their token ends, in seconds since 1970.
    pub expires: Option<u64>,
}

impl Person {
    /// Whoever comes while nobody has to give a name.
    pub fn anyone() -> Person {
        Person { name: "anyone".into(), role: Role::Admin, gate_id: None, cameras: None, expires: None }
    }

    /// What of the records they may see.
    pub fn view(&self) -> View {
        match self.role {
            Role::Admin => View::Everything,
            Role::Viewer | Role::Operator => View::Site,
            Role::User | Role::Controller => View::User(self.name.clone()),
        }
    }

    /// Whether they may watch the site at work: gates, plates, cameras.
    pub fn may_watch(&self) -> bool {
        matches!(self.role, Role::Viewer | Role::Operator | Role::Admin)
    }

    /// Whether they may move gates and cameras.
    pub fn may_command(&self) -> bool {
        matches!(self.role, Role::Operator | Role::Admin)
    }

    /// Whether they may put records of the site into the log.
    pub fn may_report(&self) -> bool {
        self.may_command() || self.role == Role::Controller
    }

    /// Whether they may do what only administrators may.
    pub fn may_administer(&self) -> bool {
        self.role == Role::Admin
    }

    /// Whether they may be the controller of `gate`.
    pub fn may_control(&self, gate: &str) -> bool {
        let own = self.gate_id.as_deref().is_none_or(|own| own == gate);
        self.role == Role::Admin || (self.role == Role::Controller && own)
    }

    /// Whether they may see this camera's pictures.
    pub fn may_see_camera(&self, camera: &str) -> bool {
        match &self.cameras {
            Some(cameras) => cameras.iter().any(|own| own == camera),
            None => self.may_watch(),
        }
    }
}
