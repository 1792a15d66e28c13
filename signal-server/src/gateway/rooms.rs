//! The REST API's way to the lobby: questions over one bounded channel, each with its own way back.

use shared::RoomId;
use shared::rest::CreateRoom;
use signal_core::{CreateRefused, Lobby, Now, RoomInfo, UnknownRoom};
use tokio::sync::{mpsc, oneshot};

/// Questions that may wait. When it is full, HTTP requests wait for their turn.
const QUEUE: usize = 64;

/// The gateway has ended: the server is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lobby is closed")]
pub struct Closed;

/// Asks the lobby about rooms.
#[derive(Debug, Clone)]
pub struct Rooms {
    commands: mpsc::Sender<Command>,
}

/// One question.
#[derive(Debug)]
pub enum Command {
    List(oneshot::Sender<Vec<RoomInfo>>),
    Get(RoomId, oneshot::Sender<Option<RoomInfo>>),
    Create(Box<CreateRoom>, oneshot::Sender<Result<RoomInfo, CreateRefused>>),
    Delete(RoomId, oneshot::Sender<Result<(), UnknownRoom>>),
}

/// Both ends.
pub fn channel() -> (Rooms, mpsc::Receiver<Command>) {
    let (commands, receiver) = mpsc::channel(QUEUE);
    (Rooms { commands }, receiver)
}

impl Rooms {
    /// All rooms, oldest first.
    pub async fn list(&self) -> Result<Vec<RoomInfo>, Closed> {
        self.ask(Command::List).await
    }

    /// One room.
    pub async fn get(&self, id: RoomId) -> Result<Option<RoomInfo>, Closed> {
        self.ask(|answer| Command::Get(id, answer)).await
    }

    /// Makes a room that stays.
    pub async fn create(&self, wanted: CreateRoom) -> Result<Result<RoomInfo, CreateRefused>, Closed> {
        self.ask(|answer| Command::Create(Box::new(wanted), answer)).await
    }

    /// Deletes a room and tells everybody inside.
    pub async fn delete(&self, id: RoomId) -> Result<Result<(), UnknownRoom>, Closed> {
        self.ask(|answer| Command::Delete(id, answer)).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Closed> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_| Closed)?;
        answered.await.map_err(|_| Closed)
    }
}

impl Command {
    /// Asks the lobby and answers. That the asker has gone away changes nothing.
    pub fn carry_out(self, lobby: &mut Lobby, now: Now) {
        match self {
            Self::List(answer) => {
                let _ = answer.send(lobby.rooms());
            }
            Self::Get(id, answer) => {
                let _ = answer.send(lobby.room(&id));
            }
            Self::Create(wanted, answer) => {
                let made = lobby.create_room(*wanted, rand::random(), now);
                if let Ok(room) = &made {
                    tracing::info!(room = %room.id, "room created");
                }
                let _ = answer.send(made);
            }
            Self::Delete(id, answer) => {
                let deleted = lobby.delete_room(&id);
                if deleted.is_ok() {
                    tracing::info!(room = %id, "room deleted");
                }
                let _ = answer.send(deleted);
            }
        }
    }
}
