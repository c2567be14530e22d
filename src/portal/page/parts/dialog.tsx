/** A question in front of the page. The browser keeps the focus in it and gives it back. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Button } from "./button.tsx";

export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Beside the button that closes it. */
  actions?: ComponentChildren;
  closeText?: string;
}) {
  const { title, onClose, children, actions, closeText = "Cancel" } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <div class="card-head">
        <h2 id={id}>{title}</h2>
      </div>
      <div class="card-body stack">{children}</div>
      <div class="dialog-foot">
        <Button onPress={() => dialog.current?.close()}>{closeText}</Button>
        {actions}
      </div>
    </dialog>
  );
}
