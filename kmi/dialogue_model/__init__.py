"""The dialogue model: a causal language model that speaks as therapist, and as client, under an MI label.

    format      how a session is written for the model: messages, the tokens that open a turn, the chat template
    tokenizer   byte-pair encoding of Korean, trained on the sessions
    recipe      what decides a training
    training    TRL's trainer, on two roads: from scratch, or LoRA on an open instruction model
    model       the checkpoint: what was said in, drafts out
    copying     whether a reply is a training turn over again
    choice      which of several drafts is said
    trigram     the plain language model it is compared with
    evaluation  perplexity and speed
    comparison  writers side by side on the same turns
    card        the model card, filled from the report

The bare checkpoint is unguarded: people meet it through `kmi.chatbot` only.
"""
