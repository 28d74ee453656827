"""Integrations: tinsach inside data-processing engines, one small module each.

    sklearn    LineCleaner, a transformer for a Pipeline
    datasets   BatchCleaner, for Dataset.map, and learn(dataset)
    datatrove  LineCleaner and SiteLearner, steps of a pipeline, and learned(folder)
    spark      clean(frame), learn(frame), and clean_folder(source, target): python -m classifier.integrations.spark in/ out/
    ray        clean(dataset), learn(dataset), and the same job: python -m classifier.integrations.ray in/ out/

All but the first can learn a site memory in a first stage and clean with it in a second.
Each returns the same text as `Cleaner.clean_pages`, byte for byte. An engine's library is imported by its own module only, and each
worker process loads a cleaner once (`cleaner.Recipe`). Code shared between engines is in `columns`, `site_memory` and `threads`;
a job over folders is made of `storage`, `splits`, `split_job`, `manifest`, `folder` and, as a command, `job`.
Integrations neither extract text from HTML nor drop pages that end up empty.
"""
