// Pictures of a code: pasted, or dropped anywhere on the page. A dropped one never takes the browser away from here.
export function pictures(taken) {
  const first = (data) => [...(data?.files ?? [])].find((file) => file.type.startsWith("image/"));
  window.addEventListener("paste", (event) => {
    const picture = first(event.clipboardData);
    if (picture) taken(picture);
  });
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const picture = first(event.dataTransfer);
    if (picture) taken(picture);
  });
}

export function choose(taken) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/png,image/jpeg";
  input.onchange = () => input.files[0] && taken(input.files[0]);
  input.click();
}
