/**
 * Code that verifies a push, in the languages of receivers, each in a file. Those of Node are text
 * here, as what they import is no dependency of ours.
 */
import csharp from "./samples/Pushes.cs?raw";
import java from "./samples/Pushes.java?raw";
import standardWebhooks from "./samples/standardwebhooks.mjs.txt?raw";
import tidegate from "./samples/tidegate.mjs.txt?raw";
import goV1a from "./samples/verify-v1a.go?raw";
import pythonV1a from "./samples/verify-v1a.py?raw";
import go from "./samples/verify.go?raw";
import php from "./samples/verify.php?raw";
import python from "./samples/verify.py?raw";
import ruby from "./samples/verify.rb?raw";

export type Sample = {
  readonly id: string;
  readonly name: string;
  readonly code: string;
  /** Of signatures with a public key; undefined where there is no sample for these. */
  readonly v1a: string | undefined;
};

export const samples: readonly Sample[] = [
  { id: "node", name: "Node: tidegate/client", code: tidegate, v1a: tidegate },
  { id: "node-standard", name: "Node: standardwebhooks", code: standardWebhooks, v1a: undefined },
  { id: "python", name: "Python", code: python, v1a: pythonV1a },
  { id: "go", name: "Go", code: go, v1a: goV1a },
  { id: "ruby", name: "Ruby", code: ruby, v1a: undefined },
  { id: "php", name: "PHP", code: php, v1a: undefined },
  { id: "java", name: "Java", code: java, v1a: undefined },
  { id: "csharp", name: "C#", code: csharp, v1a: undefined },
];
