//! What can be asked of a provider: one table, a row an operation.

use crate::{
    Dialect, anthropic,
    body::{Field, Is, Shape, Sign},
    gemini,
    observe::Table,
    openai,
};

/// What is to be done, named as its provider names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Gemini `models.generateContent`: one answer.
    GenerateContent,
    /// Gemini `models.streamGenerateContent`: a stream of answers.
    StreamGenerateContent,
    /// Gemini `models.countTokens`.
    CountTokens,
    /// Gemini `models.embedContent`.
    EmbedContent,
    /// Gemini `models.batchEmbedContents`: all that Google's current SDKs embed with.
    BatchEmbedContents,
    /// Gemini `models.predict`.
    Predict,
    /// Gemini `models.predictLongRunning`.
    PredictLongRunning,
    /// Gemini `models.batchGenerateContent`.
    BatchGenerateContent,
    /// Gemini `models.asyncBatchEmbedContent`.
    AsyncBatchEmbedContent,
    /// Gemini `cachedContents.create`, whose body names a model.
    CachedContents,
    /// Gemini `interactions.create`, whose body names a model.
    Interactions,
    /// Whatever else lies under a version of Gemini's: files, batches, operations, …
    GeminiResource,
    /// OpenAI chat completions.
    ChatCompletions,
    /// OpenAI completions, the old ones.
    Completions,
    /// OpenAI Responses: create.
    Responses,
    /// OpenAI Responses: compact a conversation.
    ResponsesCompact,
    /// OpenAI Responses: count the tokens of an input.
    ResponsesInputTokens,
    /// OpenAI embeddings.
    Embeddings,
    /// OpenAI moderations.
    Moderations,
    /// OpenAI images: generate.
    ImagesGenerations,
    /// OpenAI images: edit.
    ImagesEdits,
    /// OpenAI images: variations.
    ImagesVariations,
    /// OpenAI speech: text to audio.
    AudioSpeech,
    /// OpenAI transcriptions: audio to text.
    AudioTranscriptions,
    /// OpenAI translations: audio to English text.
    AudioTranslations,
    /// Whatever else lies under OpenAI's version: files, batches, a response by its id, …
    OpenAiResource,
    /// Anthropic messages.
    Messages,
    /// Anthropic: count the tokens of a message.
    MessagesCountTokens,
    /// Anthropic message batches: create. Every request in it names the same model.
    MessagesBatches,
    /// Whatever else lies under Anthropic's version: files, a batch by its id, …
    AnthropicResource,
    /// The unified route `{endpoint}/mlflow/invocations`: its body says whether it is a chat or embeddings. Never reaches a
    /// forwarder.
    Invocations,
    /// A path of the provider's own, as the client wrote it.
    Proxy,
}

/// Where the model, which is an endpoint's alias, stands in a request's body.
#[derive(Debug, Clone, Copy)]
pub enum Naming {
    /// Nowhere that is looked at: the body passes as it comes.
    Nowhere,
    /// In JSON, again: the path names the endpoint, and the body may repeat it.
    Again(&'static Shape),
    /// In JSON.
    Json(&'static Shape),
    /// In JSON or in a form, as `content-type` says.
    JsonOrForm(&'static Shape),
}

/// What an operation is called, and what its bodies are read for.
struct Row {
    name: &'static str,
    dialect: Option<Dialect>,
    gen_ai_name: &'static str,
    naming: Naming,
    answers: Option<&'static Table>,
}

const fn row(
    name: &'static str,
    dialect: Dialect,
    gen_ai_name: &'static str,
    naming: Naming,
    answers: Option<&'static Table>,
) -> Row {
    Row { name, dialect: Some(dialect), gen_ai_name, naming, answers }
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 32] = [
        Self::GenerateContent,
        Self::StreamGenerateContent,
        Self::CountTokens,
        Self::EmbedContent,
        Self::BatchEmbedContents,
        Self::Predict,
        Self::PredictLongRunning,
        Self::BatchGenerateContent,
        Self::AsyncBatchEmbedContent,
        Self::CachedContents,
        Self::Interactions,
        Self::GeminiResource,
        Self::ChatCompletions,
        Self::Completions,
        Self::Responses,
        Self::ResponsesCompact,
        Self::ResponsesInputTokens,
        Self::Embeddings,
        Self::Moderations,
        Self::ImagesGenerations,
        Self::ImagesEdits,
        Self::ImagesVariations,
        Self::AudioSpeech,
        Self::AudioTranscriptions,
        Self::AudioTranslations,
        Self::OpenAiResource,
        Self::Messages,
        Self::MessagesCountTokens,
        Self::MessagesBatches,
        Self::AnthropicResource,
        Self::Invocations,
        Self::Proxy,
    ];

    /// Gemini's methods of a model: those that stand behind the colon of `models/{model}`.
    pub const GEMINI_METHODS: [Self; 9] = [
        Self::GenerateContent,
        Self::StreamGenerateContent,
        Self::CountTokens,
        Self::EmbedContent,
        Self::BatchEmbedContents,
        Self::Predict,
        Self::PredictLongRunning,
        Self::BatchGenerateContent,
        Self::AsyncBatchEmbedContent,
    ];

    #[rustfmt::skip]
    const fn row(self) -> Row {
        use Dialect::{Anthropic, Gemini, OpenAi};
        use Naming::{Again, Json, JsonOrForm, Nowhere};
        const GENERATED: Option<&Table> = Some(&gemini::table::GENERATE_CONTENT);
        match self {
            Self::GenerateContent        => row("generateContent",        Gemini, "generate_content", Nowhere, GENERATED),
            Self::StreamGenerateContent  => row("streamGenerateContent",  Gemini, "generate_content", Nowhere, GENERATED),
            Self::CountTokens            => row("countTokens",            Gemini, "count_tokens", Again(&COUNT_TOKENS), None),
            Self::EmbedContent           => row("embedContent",           Gemini, "embeddings", Again(&MODEL), GENERATED),
            Self::BatchEmbedContents     => row("batchEmbedContents",     Gemini, "embeddings", Again(&EMBED_REQUESTS), GENERATED),
            Self::Predict                => row("predict",                Gemini, "predict", Nowhere, None),
            Self::PredictLongRunning     => row("predictLongRunning",     Gemini, "predict", Nowhere, None),
            Self::BatchGenerateContent   => row("batchGenerateContent",   Gemini, "batch", Again(&BATCH), None),
            Self::AsyncBatchEmbedContent => row("asyncBatchEmbedContent", Gemini, "batch", Again(&BATCH), None),
            Self::CachedContents         => row("cachedContents",         Gemini, "resource", Json(&MODEL), None),
            Self::Interactions           => row("interactions",           Gemini, "chat", Json(&MODEL), None),
            Self::GeminiResource         => row("gemini/resource",        Gemini, "resource", Nowhere, None),
            Self::ChatCompletions      => row("chat/completions",       OpenAi, "chat", Json(&STREAMED), Some(&openai::table::CHAT)),
            Self::Completions          => row("completions",            OpenAi, "text_completion", Json(&STREAMED), Some(&openai::table::CHAT)),
            Self::Responses            => row("responses",              OpenAi, "chat", Json(&STREAMED), Some(&openai::table::RESPONSES)),
            Self::ResponsesCompact     => row("responses/compact",      OpenAi, "chat", Json(&MODEL), Some(&openai::table::RESPONSES)),
            Self::ResponsesInputTokens => row("responses/input_tokens", OpenAi, "count_tokens", Json(&MODEL), None),
            Self::Embeddings           => row("embeddings",             OpenAi, "embeddings", Json(&MODEL), Some(&openai::table::CHAT)),
            Self::Moderations          => row("moderations",            OpenAi, "moderation", Json(&MODEL), None),
            Self::ImagesGenerations    => row("images/generations",     OpenAi, "image", Json(&STREAMED), Some(&openai::table::IMAGES)),
            Self::ImagesEdits          => row("images/edits",           OpenAi, "image", JsonOrForm(&STREAMED), Some(&openai::table::IMAGES)),
            Self::ImagesVariations     => row("images/variations",      OpenAi, "image", JsonOrForm(&STREAMED), Some(&openai::table::IMAGES)),
            Self::AudioSpeech          => row("audio/speech",           OpenAi, "audio", Json(&MODEL), None),
            Self::AudioTranscriptions  => row("audio/transcriptions",   OpenAi, "audio", JsonOrForm(&STREAMED), Some(&openai::table::TRANSCRIPTIONS)),
            Self::AudioTranslations    => row("audio/translations",     OpenAi, "audio", JsonOrForm(&MODEL), None),
            Self::OpenAiResource       => row("openai/resource",        OpenAi, "resource", Nowhere, None),
            Self::Messages            => row("messages",              Anthropic, "chat", Json(&STREAMED), Some(&anthropic::table::MESSAGES)),
            Self::MessagesCountTokens => row("messages/count_tokens", Anthropic, "count_tokens", Json(&MODEL), None),
            Self::MessagesBatches     => row("messages/batches",      Anthropic, "batch", Json(&MESSAGE_REQUESTS), None),
            Self::AnthropicResource   => row("anthropic/resource",    Anthropic, "resource", Nowhere, None),
            Self::Invocations => row("invocations", OpenAi, "chat", Json(&INVOCATION), None),
            Self::Proxy => Row { name: "proxy", dialect: None, gen_ai_name: "proxy", naming: Nowhere, answers: None },
        }
    }

    /// Whose operation it is; none where any provider's will do.
    pub const fn dialect(self) -> Option<Dialect> {
        self.row().dialect
    }

    /// The word for it: the method behind the colon in Gemini paths, the path behind the version in the others.
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The operation of that name, for a peer that was told it over a wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == name)
    }

    /// `gen_ai.operation.name` of OpenTelemetry's GenAI semantic conventions, or a word of the same kind where they have
    /// none.
    pub const fn gen_ai_name(self) -> &'static str {
        self.row().gen_ai_name
    }

    /// Where its requests name the model.
    pub const fn naming(self) -> Naming {
        self.row().naming
    }

    /// Whether it makes, or is about, something that lies at the provider under one key: all such calls of an endpoint must
    /// go to the same target.
    pub const fn is_pinned(self) -> bool {
        matches!(
            self,
            Self::PredictLongRunning
                | Self::BatchGenerateContent
                | Self::AsyncBatchEmbedContent
                | Self::CachedContents
                | Self::Interactions
                | Self::GeminiResource
                | Self::OpenAiResource
                | Self::MessagesBatches
                | Self::AnthropicResource
                | Self::Proxy
        )
    }

    /// What its answers are read for.
    pub(crate) const fn answers(self) -> Option<&'static Table> {
        self.row().answers
    }

    /// Gemini's method of that name.
    pub(crate) fn gemini_method(name: &str) -> Option<Self> {
        Self::GEMINI_METHODS.into_iter().find(|operation| operation.as_str() == name)
    }
}

// === where bodies name the model ===

const MODEL: Shape = Shape(&[Field("model", Is::Model)]);
const STREAMED: Shape = Shape(&[Field("model", Is::Model), Field("stream", Is::Stream)]);

/// Google's JSON is taken in both spellings, so its fields are looked for in both.
const COUNT_TOKENS: Shape = Shape(&[
    Field("model", Is::Model),
    Field("generateContentRequest", Is::Object(MODEL.0)),
    Field("generate_content_request", Is::Object(MODEL.0)),
]);

const EMBED_REQUESTS: Shape = Shape(&[Field("model", Is::Model), Field("requests", Is::Each(MODEL.0))]);

const BATCH: Shape = Shape(&[Field(
    "batch",
    Is::Object(&[
        Field("model", Is::Model),
        Field("inputConfig", Is::Object(INPUT_CONFIG)),
        Field("input_config", Is::Object(INPUT_CONFIG)),
    ]),
)]);
const INPUT_CONFIG: &[Field] = &[Field(
    "requests",
    Is::Object(&[Field("requests", Is::Each(&[Field("request", Is::Object(MODEL.0))]))]),
)];

const MESSAGE_REQUESTS: Shape =
    Shape(&[Field("requests", Is::Each(&[Field("params", Is::Object(MODEL.0))]))]);

const INVOCATION: Shape = Shape(&[
    Field("model", Is::Model),
    Field("stream", Is::Stream),
    Field("messages", Is::Sign(Sign::Messages)),
    Field("input", Is::Sign(Sign::Input)),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for operation in Operation::ALL {
            assert_eq!(Operation::parse(operation.as_str()), Some(operation));
        }
        assert_eq!(Operation::parse("embed"), None);
    }
}
