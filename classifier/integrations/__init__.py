"""Engines: tinsach inside the tools that people process text with, one small file each.

    sklearn    LineCleaner, a transformer for a Pipeline
    datasets   BatchCleaner, for Dataset.map
    datatrove  LineCleaner, a step of a pipeline
    spark      clean(frame), and a job over folders: python -m classifier.integrations.spark in/ out/
    ray        clean(dataset), and the same job: python -m classifier.integrations.ray in/ out/

Each gives what `Cleaner.clean_pages` gives, byte for byte. An engine's library is imported by the file of that name alone, and
a cleaner is loaded once in each process that works (`recipe`). What they share about columns and folders is in `columns` and
`job`. What they leave out: turning HTML into text, and dropping pages of which nothing is left.
"""
