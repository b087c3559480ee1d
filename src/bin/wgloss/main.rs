//! The command `wgloss`.

mod bench;
mod check;
mod compute;
mod data;
mod device;
mod evaluate;
mod info;
mod losses;
mod model;
mod output;
mod protocol;
mod recommend;
mod screen;
mod shaders;
mod table;
mod train;
mod tune;

use clap::{Parser, Subcommand};
use screen::Screen;
use std::process::ExitCode;

/// Ranking and angular-margin losses with exact gradients, on any GPU.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(Box<train::Arguments>),
    Evaluate(evaluate::Arguments),
    Recommend(recommend::Arguments),
    Compute(compute::Arguments),
    Check(check::Arguments),
    Bench(bench::Arguments),
    Tune(tune::Arguments),
    Losses(losses::Arguments),
    Info(info::Arguments),
    Shaders(shaders::Arguments),
}

/// What a command comes to: whether all went well, what did not being told already; or an error
/// that ended it.
type Outcome = wgloss::Result<bool>;

fn main() -> ExitCode {
    let mut screen = Screen::default();
    let outcome = match Cli::parse().command {
        Command::Train(arguments) => train::run(&arguments, &mut screen),
        Command::Evaluate(arguments) => evaluate::run(&arguments, &mut screen),
        Command::Recommend(arguments) => recommend::run(&arguments, &mut screen),
        Command::Compute(arguments) => compute::run(&arguments, &mut screen),
        Command::Check(arguments) => check::run(&arguments, &mut screen),
        Command::Bench(arguments) => bench::run(&arguments, &mut screen),
        Command::Tune(arguments) => tune::run(&arguments, &mut screen),
        Command::Losses(arguments) => losses::run(&arguments, &mut screen),
        Command::Info(arguments) => info::run(&arguments, &mut screen),
        Command::Shaders(arguments) => shaders::run(&arguments, &mut screen),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen.complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Parameters of losses become flags beside the command's own.
    #[test]
    fn no_two_flags_of_a_command_have_one_name() {
        Cli::command().debug_assert();
    }
}
