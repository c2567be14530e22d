/** What can be done with an endpoint. All but a pause is confirmed, with what it will do. */
import { useState } from "preact/hooks";
import { Button } from "../../parts/button.tsx";
import { DeleteDialog, PauseDialog, PollDialog } from "./dialogs.tsx";
import type { EndpointView } from "./queries.ts";
import { ResumeDialog } from "./resume-dialog.tsx";

type Action = "pause" | "poll" | "resume" | "delete";

export function Actions({ tenant, endpoint }: { tenant: string; endpoint: EndpointView }) {
  const [asked, setAsked] = useState<Action>();
  const given = { tenant, endpoint, onClose: () => setAsked(undefined) };
  const { status } = endpoint;
  return (
    <>
      {status !== "active" && (
        <Button look="main" onPress={() => setAsked("resume")}>
          {status === "disabled" ? "Enable …" : "Resume …"}
        </Button>
      )}
      {status === "active" && <Button onPress={() => setAsked("pause")}>Pause …</Button>}
      {status === "active" && <Button onPress={() => setAsked("resume")}>Move position …</Button>}
      {status !== "polling" && <Button onPress={() => setAsked("poll")}>Poll instead …</Button>}
      <Button look="danger" onPress={() => setAsked("delete")}>
        Delete …
      </Button>
      {asked === "pause" && <PauseDialog {...given} />}
      {asked === "poll" && <PollDialog {...given} />}
      {asked === "resume" && <ResumeDialog {...given} />}
      {asked === "delete" && <DeleteDialog {...given} />}
    </>
  );
}
