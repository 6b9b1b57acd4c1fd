//! Playing, listening, tones.

use http::StatusCode;
use serde_json::Value;

use super::{
    CallAction,
    read::{identifier, optional_identifiers, told},
};
use crate::{
    Problem,
    calls::{Choice, MediaCommand, Prompt, Recognition, Tone},
    face::json::Fields,
};

/// Tones of one request.
const TONES_MAX: usize = 18;
/// Sources of one request.
const SOURCES_MAX: usize = 20;
/// Characters of one source.
const TEXT_CHARS_MAX: usize = 10_000;
/// In seconds: what clients send unless told otherwise, and what is taken.
const SILENCE_S: (i64, std::ops::RangeInclusive<i64>) = (5, 0..=300);
const INTER_TONE_S: (i64, std::ops::RangeInclusive<i64>) = (2, 1..=60);

pub fn command(fields: &Fields, action: CallAction) -> Result<(StatusCode, MediaCommand), Problem> {
    Ok(match action {
        CallAction::Play => (StatusCode::ACCEPTED, play(fields)?),
        CallAction::Recognize => (StatusCode::ACCEPTED, recognize(fields)?),
        CallAction::SendTones => {
            let tones = tones(fields, "tones")?;
            if tones.is_empty() || tones.len() > TONES_MAX {
                let text = format!("tones has 1 to {TONES_MAX} tones.");
                return Err(Problem::bad("tones", text));
            }
            let command = MediaCommand::SendTones {
                target: identifier(fields, "targetParticipant")?,
                tones,
                told: told(fields)?,
            };
            (StatusCode::ACCEPTED, command)
        }
        CallAction::StartContinuous | CallAction::StopContinuous => {
            let command = MediaCommand::Continuous {
                target: identifier(fields, "targetParticipant")?,
                on: action == CallAction::StartContinuous,
                told: told(fields)?,
            };
            (StatusCode::OK, command)
        }
        _ => (StatusCode::ACCEPTED, MediaCommand::CancelAll),
    })
}

fn play(fields: &Fields) -> Result<MediaCommand, Problem> {
    let prompts = prompts(&fields.objects("playSources")?)?;
    if prompts.is_empty() || prompts.len() > SOURCES_MAX {
        let text = format!("playSources has 1 to {SOURCES_MAX} sources.");
        return Err(Problem::bad("playSources", text));
    }
    let mut to = optional_identifiers(fields, "playTo")?;
    if to.len() > 1 {
        let text = "playTo names one participant, or nobody to play to all.";
        return Err(Problem::bad("playTo", text));
    }
    let options = fields.object("playOptions")?;
    let repeats = options.map(|options| options.boolean("loop")).transpose()?;
    Ok(MediaCommand::Play {
        prompts,
        to: to.pop(),
        repeats: repeats.flatten().unwrap_or(false),
        interrupts: interrupts(fields)?,
        told: told(fields)?,
    })
}

fn recognize(fields: &Fields) -> Result<MediaCommand, Problem> {
    let kind = fields.required_text("recognizeInputType")?;
    let (by_tones, by_speech) = match kind.as_str() {
        "dtmf" => (true, false),
        "speech" => (false, true),
        "speechOrDtmf" | "choices" => (true, true),
        _ => {
            let text = "recognizeInputType is dtmf, speech, speechOrDtmf or choices.";
            return Err(Problem::bad("recognizeInputType", text));
        }
    };
    let options = fields.object("recognizeOptions")?;
    let options =
        options.ok_or_else(|| Problem::bad("recognizeOptions", "recognizeOptions is required."))?;
    let choices = choices(&options)?;
    if (kind == "choices") == choices.is_empty() {
        let text = "choices are for recognizeInputType choices, which wants at least one.";
        return Err(Problem::bad("recognizeOptions.choices", text));
    }
    let mut sources: Vec<Fields> = fields.object("playPrompt")?.into_iter().collect();
    sources.extend(fields.objects("playPrompts")?);
    let dtmf = options.object("dtmfOptions")?;
    let tones_max = dtmf.as_ref().map(|dtmf| dtmf.integer("maxTonesToCollect"));
    let tones_max = tones_max.transpose()?.flatten();
    let stop_tones = dtmf.as_ref().map(|dtmf| tones(dtmf, "stopTones"));
    let inter_tone = dtmf
        .as_ref()
        .map(|dtmf| seconds(dtmf, "interToneTimeoutInSeconds", INTER_TONE_S));
    Ok(MediaCommand::Recognize {
        prompts: prompts(&sources)?,
        recognition: Recognition {
            tones: by_tones,
            speech: by_speech,
            choices,
            target: identifier(&options, "targetParticipant")?,
            interrupt_prompt: options.boolean("interruptPrompt")?.unwrap_or(false),
            initial_silence_ms: seconds(&options, "initialSilenceTimeoutInSeconds", SILENCE_S)?,
            inter_tone_ms: inter_tone.transpose()?.unwrap_or(INTER_TONE_S.0 * 1_000),
            tones_max: tones_max
                .and_then(|most| usize::try_from(most).ok().filter(|most| *most > 0)),
            stop_tones: stop_tones.transpose()?.unwrap_or_default(),
        },
        interrupts: interrupts(fields)?,
        told: told(fields)?,
    })
}

fn interrupts(fields: &Fields) -> Result<bool, Problem> {
    Ok(fields
        .boolean("interruptCallMediaOperation")?
        .unwrap_or(false))
}

fn seconds(
    fields: &Fields,
    name: &str,
    (usual, span): (i64, std::ops::RangeInclusive<i64>),
) -> Result<i64, Problem> {
    let seconds = fields.integer(name)?.unwrap_or(usual);
    match span.contains(&seconds) {
        true => Ok(seconds * 1_000),
        false => {
            let text = format!("{name} is {} to {} seconds.", span.start(), span.end());
            Err(Problem::bad(name, text))
        }
    }
}

fn prompts(sources: &[Fields]) -> Result<Vec<Prompt>, Problem> {
    sources.iter().map(prompt).collect()
}

fn prompt(source: &Fields) -> Result<Prompt, Problem> {
    let part = |name: &str| {
        let part = source.object(name)?;
        part.ok_or_else(|| {
            Problem::bad(name, format!("{name} is required for this kind of source."))
        })
    };
    let spoken = |text: String| match text.chars().count() {
        count if count > TEXT_CHARS_MAX => {
            let text = format!("A text has at most {TEXT_CHARS_MAX} characters.");
            Err(Problem::bad("text", text))
        }
        count => Ok(Prompt::Speech(count)),
    };
    match source.required_text("kind")?.as_str() {
        "file" => Ok(Prompt::File(part("file")?.required_text("uri")?)),
        "text" => spoken(part("text")?.required_text("text")?),
        "ssml" => spoken(part("ssml")?.required_text("ssmlText")?),
        _ => Err(Problem::bad("kind", "kind is file, text or ssml.")),
    }
}

fn tones(fields: &Fields, name: &str) -> Result<Vec<Tone>, Problem> {
    let all = fields.list(name)?.cloned().unwrap_or_default();
    all.into_iter().map(|value| tone(name, value)).collect()
}

fn tone(name: &str, value: Value) -> Result<Tone, Problem> {
    serde_json::from_value(value).map_err(|_| {
        let text = format!("{name} has zero to nine, a to d, pound and asterisk only.");
        Problem::bad(name, text)
    })
}

fn choices(options: &Fields) -> Result<Vec<Choice>, Problem> {
    let each = options.objects("choices")?;
    let choice = |choice: &Fields| {
        let phrases = choice.list("phrases")?.into_iter().flatten();
        let phrases = phrases.filter_map(Value::as_str).map(str::to_owned);
        let key = choice.text("tone")?.map(|key| tone("tone", key.into()));
        Ok((
            choice.required_text("label")?,
            phrases.collect(),
            key.transpose()?,
        ))
    };
    each.iter().map(choice).collect()
}
