//! The server's stable error codes as sentences for people: the cause and the next step.

use shared::codes;
use shared::events::ErrorBody;

/// What to show for an error of the server's.
pub fn sentence(error: &ErrorBody) -> String {
    let known = match error.code.as_str() {
        codes::ROOM_FULL => "This room is full. Wait until somebody leaves, then try again.",
        codes::PASSWORD_REQUIRED => "This room has a password. Type it to join.",
        codes::WRONG_PASSWORD => "That is not the password of this room. Try again.",
        codes::ROOM_NOT_FOUND => "There is no such room. Check the link, or create the room.",
        codes::ROOM_EXISTS => "A room with this id exists already. Join it, or choose another id.",
        codes::TOO_MANY_ROOMS => "The server holds as many rooms as it may. Delete one, or try again later.",
        codes::RATE_LIMITED => "The server is busy. Wait a moment, then try again.",
        "room-locked" => {
            "This room is locked: nobody can join at the moment. Ask somebody inside to unlock it."
        }
        _ => return unknown(error),
    };
    known.to_owned()
}

/// A password settles this refusal.
pub fn wants_password(error: &ErrorBody) -> bool {
    matches!(error.code.as_str(), codes::PASSWORD_REQUIRED | codes::WRONG_PASSWORD)
}

/// This refusal passes by itself: after a lost connection, our own ghost may still hold the seat.
pub fn passes_by_itself(error: &ErrorBody) -> bool {
    matches!(error.code.as_str(), codes::ROOM_FULL | codes::RATE_LIMITED)
}

fn unknown(error: &ErrorBody) -> String {
    let message = crate::text::single_line(&error.message, 300);
    let code = crate::text::single_line(&error.code, 40);
    match (message.is_empty(), code.is_empty()) {
        (false, _) => format!("The server refused: {message}"),
        (true, false) => format!("The server refused ({code}). Try again later."),
        (true, true) => "The server refused and gave no reason. Try again later.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> ErrorBody {
        ErrorBody { code: code.into(), message: message.into() }
    }

    #[test]
    fn known_codes_have_a_next_step_and_unknown_ones_keep_the_servers_words() {
        assert!(sentence(&error("room-full", "x")).contains("Wait until somebody leaves"));
        assert_eq!(sentence(&error("odd", "The moon\nis full.")), "The server refused: The moon is full.");
        assert_eq!(sentence(&error("odd", "")), "The server refused (odd). Try again later.");
        assert!(wants_password(&error("wrong-password", "")) && !wants_password(&error("room-full", "")));
    }
}
