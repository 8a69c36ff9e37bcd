"""transformers, tokenizers and peft: tiny models from their configurations, saved as users publish them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from benchmarks.corpus.benign.chat_templates import TEMPLATES
from benchmarks.corpus.benign.workshop import SEED, Shelf

TEXTS = ["import this is a sentence about models", "another line, with numbers 12 and signs <s>", "os.system is a name"] * 4
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 64,
}


def saved_folders(shelf: Shelf) -> None:
    """``save_pretrained`` folders of seven architectures, judged whole and file by file."""
    for name, model in _models().items():
        folder = _folder(shelf, name, "transformers-folder")
        model.save_pretrained(folder)
        _tokenizer(TEMPLATES["chatml"]).save_pretrained(folder)
        (folder / "README.md").write_text(
            f"---\nlicense: apache-2.0\ntags: [{name}]\n---\n# Tiny {name}\n\nMade for a benchmark.\n"
        )


def pickled_weights(shelf: Shelf) -> None:
    """The same weights as ``pytorch_model.bin``, and sharded with an index, as before safetensors."""
    for name, model in _models().items():
        torch.save(model.state_dict(), _file(shelf, f"{name}/pytorch_model.bin", name, "torch-zip"))
    model = _models()["bert"]
    path = _file(shelf, "bert-legacy/pytorch_model.bin", "bert", "torch-legacy-state")
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)
    torch.save(model, _file(shelf, "bert-module.pt", "bert", "torch-zip-module"))


def training_leftovers(shelf: Shelf) -> None:
    """``training_args.bin`` (a pickled object of many classes), scheduler and random states."""
    for number, settings in enumerate(({}, {"optim": "adamw_torch", "eval_strategy": "no", "lr_scheduler_type": "cosine"})):
        arguments = transformers.TrainingArguments(output_dir="out", use_cpu=True, report_to=[], seed=SEED, **settings)
        torch.save(arguments, _file(shelf, f"args-{number}/training_args.bin", f"TrainingArguments-{number}", "torch-zip-module"))
    state = {"python": (3, tuple(range(5)), None), "cpu": torch.get_rng_state()}
    torch.save(state, _file(shelf, "rng_state.pth", "rng_state", "torch-zip"))


def tokenizers_files(shelf: Shelf) -> None:
    """``tokenizer.json`` of three algorithms and a tokenizer configuration for each chat template."""
    for name in ("bpe", "wordpiece", "unigram"):
        _trained(name).save(
            str(shelf.put(f"{name}/tokenizer.json", library="tokenizers", subject=name, technique="tokenizer-json"))
        )
    for name, template in TEMPLATES.items():
        folder = shelf.put(
            f"chat-{name}", library="tokenizers", subject=f"chat-{name}", technique="chat-template", group="project"
        )
        _tokenizer(template).save_pretrained(folder)


def adapters(shelf: Shelf) -> None:
    """A LoRA adapter: safetensors with its configuration."""
    settings = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(_models()["llama"], settings)
    model.save_pretrained(shelf.put("lora", library="peft", subject="lora", technique="peft-folder", group="project"))


def remote_code(shelf: Shelf) -> None:
    """A model with its own code: ``auto_map`` and real modelling sources of the library, harmless."""
    source = Path(transformers.__file__).parent / "models"
    for name in ("llama", "bert", "gpt2", "qwen2", "clip", "whisper", "t5"):
        folder = _folder(shelf, f"remote-{name}", "auto-map")
        config = transformers.AutoConfig.for_model(name)
        config.auto_map = {
            "AutoConfig": f"configuration_{name}.{type(config).__name__}",
            "AutoModel": f"modeling_{name}.{type(config).__name__.removesuffix('Config')}Model",
        }
        config.save_pretrained(folder)
        for module in ("configuration", "modeling"):
            shutil.copy(source / name / f"{module}_{name}.py", folder)


def _folder(shelf: Shelf, name: str, technique: str) -> Path:
    folder = shelf.put(name, library="transformers", subject=name, technique=technique, group="project")
    folder.mkdir()
    return folder


def _file(shelf: Shelf, name: str, subject: str, technique: str) -> str:
    return str(shelf.put(name, library="transformers", subject=subject, technique=technique))


def _models() -> dict[str, Any]:
    torch.manual_seed(SEED)
    t = transformers
    return {
        "bert": t.BertForSequenceClassification(t.BertConfig(**SIZES)),
        "roberta": t.RobertaForMaskedLM(t.RobertaConfig(**SIZES)),
        "llama": t.LlamaForCausalLM(t.LlamaConfig(**SIZES, num_key_value_heads=1)),
        "gpt2": t.GPT2LMHeadModel(t.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=64, n_positions=32)),
        "t5": t.T5ForConditionalGeneration(t.T5Config(d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, vocab_size=64)),
        "vit": t.ViTForImageClassification(
            t.ViTConfig(
                hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=16, patch_size=8
            )
        ),
        "qwen2": t.Qwen2ForCausalLM(t.Qwen2Config(**SIZES, num_key_value_heads=1)),
    }


def _trained(name: str) -> Tokenizer:
    special = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    kinds: dict[str, tuple[Any, Any]] = {
        "bpe": (models.BPE(unk_token="<unk>"), trainers.BpeTrainer(vocab_size=90, special_tokens=special, show_progress=False)),
        "wordpiece": (
            models.WordPiece(unk_token="<unk>"),
            trainers.WordPieceTrainer(vocab_size=90, special_tokens=special, show_progress=False),
        ),
        "unigram": (
            models.Unigram(),
            trainers.UnigramTrainer(vocab_size=60, special_tokens=special, unk_token="<unk>", show_progress=False),
        ),
    }
    model, trainer = kinds[name]
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False) if name == "bpe" else pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.ByteLevel() if name == "bpe" else decoders.WordPiece()
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tokenizer


def _tokenizer(template: str) -> transformers.PreTrainedTokenizerFast:
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=_trained("bpe"), bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.chat_template = template
    return tokenizer
