//! End-to-end tests: Keyward as a user starts it, called by the clients that users have.
#![doc = include_str!("../README.md")]

mod admin;
mod client;
mod database;
mod house;
mod machine;
mod process;

pub mod memory;

pub use admin::{Admin, Answer};
pub use client::{Sdk, calls, mlflow, others};
pub use database::Database;
pub use house::{House, Plan, Provider, Shape};
pub use machine::{all, keyward};
pub use process::{PATIENCE, Process, Run};
