//! From what the environment and the features ask for to one value for each setting.
//!
//! Plain functions, so that the build script runs them and the tests call them.

use std::fmt::Write as _;

use crate::table::Setting;

/// The value of each setting in the table's order, or one line for each mistake.
///
/// `variable` looks up an environment variable. Cargo sets those of the features, too:
/// `CARGO_FEATURE_<NAME>_<VALUE>`.
pub(crate) fn settle(
    settings: &[Setting],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<usize>, Vec<String>> {
    let mut values = Vec::new();
    let mut mistakes = Vec::new();
    for setting in settings {
        let from_feature = from_features(setting, &variable);
        let from_variable = from_variable(setting, &variable);
        match (from_feature, from_variable) {
            (Ok(feature), Ok(variable)) => {
                values.push(variable.or(feature).unwrap_or(setting.default));
            }
            (feature, variable) => mistakes.extend(feature.err().into_iter().chain(variable.err())),
        }
    }
    if mistakes.is_empty() {
        Ok(values)
    } else {
        Err(mistakes)
    }
}

/// The constants of the crate as Rust source.
pub(crate) fn constants(settings: &[Setting], values: &[usize]) -> String {
    let mut source = String::new();
    for (setting, value) in settings.iter().zip(values) {
        let Setting {
            name,
            default,
            min,
            max,
            doc,
            ..
        } = setting;
        write!(
            source,
            "/// {doc}\n///\n/// Default {default}, range {min} to {max}.\npub const {name}: usize = {value};\n",
        )
        .expect("a String takes everything");
    }
    source
}

fn from_features(
    setting: &Setting,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<usize>, String> {
    let enabled: Vec<usize> = (setting.features.iter().copied())
        .filter(|value| variable(&format!("CARGO_FEATURE_{}_{value}", setting.name)).is_some())
        .collect();
    match enabled[..] {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => {
            let names: Vec<String> = (enabled.iter())
                .map(|value| format!("`{}`", setting.feature(*value)))
                .collect();
            Err(format!(
                "the features {} contradict each other: keep one of them, or none and set {}",
                names.join(" and "),
                setting.variable(),
            ))
        }
    }
}

fn from_variable(
    setting: &Setting,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<usize>, String> {
    let name = setting.variable();
    let Some(text) = variable(&name) else {
        return Ok(None);
    };
    let Setting {
        default, min, max, ..
    } = setting;
    let wanted = format!("it takes {min} to {max}, {default} by default");
    // Digits only: `parse` would take a sign. What overflows it is a number, if far out of range.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{name}={text:?} is not a number: {wanted}"));
    }
    match text.parse() {
        Ok(value) if (*min..=*max).contains(&value) => Ok(Some(value)),
        _ => Err(format!("{name}={text} is out of range: {wanted}")),
    }
}
