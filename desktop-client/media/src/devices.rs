//! What cameras, microphones and speakers there are.

use std::str::FromStr;

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{Device, DeviceId, Host};

use crate::event::DeviceError;

/// A device that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Stable over restarts; what `device:ID` takes.
    pub id: String,
    /// For people.
    pub name: String,
    /// What is used when none is chosen.
    pub is_default: bool,
}

/// All devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceList {
    /// Video in.
    pub cameras: Vec<DeviceInfo>,
    /// Audio in.
    pub microphones: Vec<DeviceInfo>,
    /// Audio out.
    pub speakers: Vec<DeviceInfo>,
}

/// Which way sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Into the program.
    Input,
    /// Out of it.
    Output,
}

impl DeviceList {
    /// Looks. This talks to the system's services and may take seconds: never call it on a thread that others wait for.
    pub fn query() -> Self {
        let host = cpal::default_host();
        Self {
            cameras: crate::video::camera::device::list(),
            microphones: list(&host, Direction::Input),
            speakers: list(&host, Direction::Output),
        }
    }
}

fn list(host: &Host, direction: Direction) -> Vec<DeviceInfo> {
    let default = default(host, direction).and_then(|device| device.id().ok());
    let mut list: Vec<DeviceInfo> = all(host, direction)
        .iter()
        .filter_map(|device| {
            let id = device.id().ok()?;
            Some(DeviceInfo {
                name: name(device),
                is_default: Some(&id) == default.as_ref(),
                id: id.to_string(),
            })
        })
        .collect();
    // Among devices of one name a person can only take the first.
    list.sort_by_key(|device| !device.is_default);
    list
}

/// Opens the way to a device: by its id, the part of its id after the host, or its name; `None` is the default.
pub(crate) fn find(direction: Direction, wanted: Option<&str>) -> Result<(Device, String), DeviceError> {
    let kind = match direction {
        Direction::Input => "microphone",
        Direction::Output => "speaker",
    };
    let Some(wanted) = wanted else {
        return default(&cpal::default_host(), direction).map(|device| (name(&device), device)).map_or_else(
            || {
                let title = format!("Default {kind}");
                Err(DeviceError::new(
                    title,
                    format!("There is no {kind}."),
                    "Plug one in, then press “Try again”.",
                ))
            },
            |(name, device)| Ok((device, name)),
        );
    };
    let id = DeviceId::from_str(wanted).ok();
    let host =
        id.as_ref().and_then(|id| cpal::host_from_id(id.host()).ok()).unwrap_or_else(cpal::default_host);
    let device = all(&host, direction).into_iter().find(|device| {
        let own = device.id().ok();
        own.as_ref().is_some_and(|own| id.as_ref() == Some(own) || own.id() == wanted)
            || name(device) == wanted
    });
    match device {
        Some(device) => Ok((name(&device), device)).map(|(name, device)| (device, name)),
        None => Err(DeviceError::new(
            wanted,
            format!("There is no such {kind}."),
            "Plug it in and press “Try again”, or choose another one.",
        )),
    }
}

fn all(host: &Host, direction: Direction) -> Vec<Device> {
    let devices = match host.devices() {
        Ok(devices) => devices,
        Err(error) => {
            tracing::debug!(%error, "sound devices cannot be listed");
            return Vec::new();
        }
    };
    devices
        .filter(|device| match direction {
            Direction::Input => device.supports_input(),
            Direction::Output => device.supports_output(),
        })
        .collect()
}

fn default(host: &Host, direction: Direction) -> Option<Device> {
    match direction {
        Direction::Input => host.default_input_device(),
        Direction::Output => host.default_output_device(),
    }
}

fn name(device: &Device) -> String {
    device.description().map_or_else(|_| device.to_string(), |description| description.name().to_owned())
}
