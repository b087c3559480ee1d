//! Metrics as a table: a column per metric, and for every K the model below what it has to beat.

use wgloss::train::{AtK, Metric, Metrics};

/// The lines. `title` stands above the names of who was measured.
pub fn table(
    title: &str,
    name: &str,
    model: &Metrics,
    popularity: &Metrics,
    metrics: &[Metric],
) -> Vec<String> {
    let names = ["popularity", name, title];
    let width = names.map(|name| name.chars().count()).into_iter().max();
    let width = width.unwrap_or(0);
    let line = |k: &str, who: &str, cell: &dyn Fn(Metric) -> String| {
        let cells = metrics.iter().map(|&metric| {
            let width = metric.name().len().max(6);
            format!("  {:>width$}", cell(metric))
        });
        format!("{k:>5}  {who:width$}{}", cells.collect::<String>())
    };
    let mut lines = vec![line("K", title, &|metric| metric.to_string())];
    for (model, popularity) in model.at.iter().zip(&popularity.at) {
        let number = |at: &AtK, metric| format!("{:.4}", at.get(metric));
        let k = model.k.to_string();
        lines.push(line(&k, "popularity", &|metric| number(popularity, metric)));
        lines.push(line("", name, &|metric| number(model, metric)));
        lines.push(line("", "ratio", &|metric| {
            ratio(model, popularity, metric)
        }));
    }
    lines
}

/// No ratio is made of nothing.
fn ratio(model: &AtK, popularity: &AtK, metric: Metric) -> String {
    match popularity.get(metric) {
        0.0 => "-".to_owned(),
        popularity => format!("{:.1}", model.get(metric) / popularity),
    }
}
